// Lists of records with an author or a role and content, which may be messages of a chat or posts of a blog. Below an
// app-wide guard their words are judged, and their pictures are no reason to refuse them.
import { describe, expect, it } from 'vitest'
import type { RequestHandler } from 'express'
import { EXPRESSES, type Handler } from '../helpers/apps.js'
import { expectRefused, expectSeen, handled, handler, json, ours, sendRaw, serving, WORD } from './planted.js'

const image = 'https://a.example/boat.png'
const RECORDS: Readonly<Record<string, object>> = {
  posts: { posts: [{ author: 'Ada', content: 'On boats', image }] },
  'a document with comments': { title: 'Boats', image, comments: [{ author: 'Bob', content: 'Nice' }] },
  'a page of sections': { sections: [{ role: 'banner', content: { image: { src: '/boat.png' } } }] },
  'blocks of an editor': [{ author: 'Ada', content: [{ type: 'image', attrs: { src: '/boat.png' } }] }],
  'a post with sound': [{ author: 'Ada', content: [{ type: 'audio', url: '/boat.mp3' }] }],
}
const CHATS: Readonly<Record<string, object>> = {
  'a chat under a name of its own': { history: [{ role: 'user', content: 'What is this?', image }] },
  'a chat of a wizard': { messages: [{ role: 'wizard', content: 'What is this?', image }] },
  'a chat behind posts': {
    posts: [{ author: 'Ada', content: 'Hi' }],
    chat: { history: [{ role: 'user', content: 'Hi', image }] },
  },
  'a chat beside posts': {
    posts: [{ author: 'Ada', content: 'Hi' }],
    history: [{ role: 'user', content: 'Hi', image }],
  },
  'a chat of authors': { posts: [{ author: { role: 'user' }, content: 'What is this?' }], image },
}

describe.each(EXPRESSES)('On %s', (_name, express) => {
  const app = express()
  app.set('env', 'test')
  app.post('/route', ours() as RequestHandler, handler as Handler as RequestHandler)
  app.use(ours() as RequestHandler, handler as Handler as RequestHandler)
  const server = serving(app)

  it.each(Object.entries(RECORDS))('%s pass app-wide as they are, with their words judged', async (_what, records) => {
    expect(await sendRaw(server(), { path: '/import', type: json, body: JSON.stringify(records) })).toBe(200)
    expect(handled.at(-1)!.body ?? JSON.parse(handled.at(-1)!.raw)).toEqual(records)
    const body = JSON.stringify(records).replace(/Ada|Bob|banner/, WORD)
    await expectSeen(server(), { path: '/import', type: json, body })
  })

  it('posts in lines pass, too', async () => {
    const body = `{"index":{}}\n${JSON.stringify({ author: 'Ada', content: `On ${WORD}`, image })}\n`
    await expectSeen(server(), { path: '/_bulk', type: 'application/x-ndjson', body })
  })

  it.each(Object.entries(CHATS))('%s is refused for its picture', async (_what, chat) => {
    await expectRefused(server(), { path: '/import', type: json, body: JSON.stringify(chat) }, 400)
  })

  it('posts on a route are refused for their picture', async () => {
    await expectRefused(server(), { path: '/route', type: json, body: JSON.stringify(RECORDS.posts) }, 400)
  })
})
