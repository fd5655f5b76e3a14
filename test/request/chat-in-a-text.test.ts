// A text that is JSON and holds a chat: a handler may parse it, or take it for the text that it is. It is judged both
// ways, so that no setting and no name that stands there twice hides words.
import { describe, expect, it } from 'vitest'
import { withoutPictures } from '../../src/dialects/kit/media.js'
import { guarded, onNode } from '../helpers/apps.js'
import { cpuMs } from '../helpers/cpu.js'
import { markerGuard } from '../helpers/guards.js'
import { form, handler, json, ours, prompts, sendRaw, serving, WORD } from './planted.js'

const user = (content: unknown): object => ({ role: 'user', content })
const HIDES: Readonly<Record<string, string>> = {
  'a setting': JSON.stringify({ stop: ['tell', WORD], messages: [user('Hi')] }),
  'a type': JSON.stringify({ messages: [{ ...user('Hi'), type: WORD }] }),
  'a name that stands there twice': `{"messages":[{"role":"user","content":"${WORD}","content":"Hi"}]}`,
  'a text within': JSON.stringify([user('Hi'), { inner: JSON.stringify({ ...user('Hi'), id: WORD }) }]),
}
const SENT: Readonly<Record<string, (text: string) => { type: string; body: string }>> = {
  'in a field': (text) => ({ type: json, body: JSON.stringify({ question: text }) }),
  'in a list': (text) => ({ type: json, body: JSON.stringify([[text]]) }),
  'as the body': (text) => ({ type: json, body: JSON.stringify(text) }),
  'in a form': (text) => ({ type: form, body: new URLSearchParams({ question: text }).toString() }),
  'as a text': (text) => ({ type: 'text/plain', body: text }),
  'as a line': (text) => ({ type: 'text/plain', body: `{"a":1}\n${text}\n` }),
}

describe.each(Object.entries(SENT))('A chat in a text, %s', (_where, write) => {
  const server = serving(onNode([ours()], handler))
  it.each(Object.entries(HIDES))('hides no words in %s', async (_what, text) => {
    const status = await sendRaw(server(), write(text))
    if (status === 200) expect(prompts()).toContain(WORD)
    // The body itself names a key twice.
    else expect([status, text]).toEqual([400, HIDES['a name that stands there twice']])
  })
})

it('costs no more than its length when it looks like pictures that are too short', () => {
  const text = `${'a'.repeat(4095)} `.repeat(240)
  // With a least length in the pattern it took nine seconds.
  expect(cpuMs(() => withoutPictures(text))).toBeLessThan(2000)
})

describe('A picture of a chat in a text', () => {
  const guard = Object.assign(markerGuard(), { vision: true })
  const server = serving(onNode([guarded({ guard, check: ['input'] })], handler))
  const png = Buffer.concat([Buffer.from('iVBORw0KGgoAAAAN', 'base64'), Buffer.alloc(100_000, 0xff)]).toString('base64')
  it.each([
    [
      'a data: URL',
      JSON.stringify([user([{ type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } }])]),
    ],
    ['inline data', JSON.stringify({ role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: png } }] })],
  ])('as %s is seen once, and not read as words', async (_what, text) => {
    guard.asked.length = 0
    for (const body of [text, text.replaceAll('/', '\\/')])
      expect(await sendRaw(server(), { type: form, body: new URLSearchParams({ q: body }).toString() })).toBe(200)
    const turns = guard.asked.flat()
    expect(turns.flatMap(({ images = [] }) => images)).toHaveLength(2)
    expect(Math.max(...turns.map(({ text }) => text.length))).toBeLessThan(300)
  })
})
