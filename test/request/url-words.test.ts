// Words in the url of a request: numbers and ids in its query, parameters of its path, and methods without a body.
import { describe, expect, it } from 'vitest'
import { EXPRESSES, SERVERS, type Handler } from '../helpers/apps.js'
import { expectSeen, handler, json, ours, sendRaw, serving, WORD, prompts, guard } from './planted.js'
import type { RequestHandler } from 'express'

const body = JSON.stringify({ messages: [{ role: 'user', content: 'hi' }] })
const CHAT = '/v1/chat/completions'
const random = (at: number): string => `call_${(at * 7919 + 1_000_003).toString(2).slice(0, 20)}`

describe.each(SERVERS)('The query of a chat on %s', (_name, mount) => {
  const server = serving(mount([ours()], handler))

  it('may hold 16 ids and no more', async () => {
    const query = Array.from({ length: 20 }, (_, at) => `id=${random(at)}`).join('&')
    await sendRaw(server(), { path: `${CHAT}?${query}`, type: json, body })
    expect(prompts()).not.toContain(random(15))
    for (let at = 16; at < 20; at += 1) expect(prompts()).toContain(random(at))
  })

  it('shares these 16 with the chat, and with what stands outside of it', async () => {
    const ids = (from: number): object[] => Array.from({ length: 6 }, (_, at) => ({ ref_id: random(from + at) }))
    const chat = { messages: [{ role: 'user', content: 'hi' }], extra: ids(0) }
    const path = `/ask?${ids(12)
      .map((each) => new URLSearchParams(each as never).toString())
      .join('&')}`
    await sendRaw(server(), {
      path,
      type: json,
      body: JSON.stringify({ data: { chat }, more: ids(6) }),
    })
    for (let at = 0; at < 18; at += 1) expect([at, prompts().includes(random(at))]).toEqual([at, at >= 16])
  })
})

describe.each(EXPRESSES)('A route of %s', (_name, express) => {
  const app = express()
  app.set('env', 'test')
  const optional = _name === 'Express 5' ? '{/:more}' : '/:more?'
  app.all(`/ask/:question${optional}`, ours() as RequestHandler, handler as Handler as RequestHandler)
  app.all('/models/:model/:version', ours() as RequestHandler, handler as Handler as RequestHandler)
  app.all('/all', ours() as RequestHandler, handler as Handler as RequestHandler)
  app.all(
    _name === 'Express 5' ? '/api/*path' : '/api/*',
    ours() as RequestHandler,
    handler as Handler as RequestHandler,
  )
  const server = serving(app)

  it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
    'judges the words of a %s in its query and in its path',
    async (method) => {
      const headers = { 'access-control-request-method': 'POST' }
      for (const path of [`/all?q=${WORD}`, `/all?${WORD}`, `/ask/${WORD}`, `/ask/1/tell%20me%20${WORD}`])
        for (const more of [{}, { headers }]) await expectSeen(server(), { method, path, ...more })
    },
  )

  it.each([body, '{"text":"hi"}', undefined])('judges a parameter of its path beside the body %s', async (sent) => {
    for (const path of [
      `/ask/${WORD}`,
      `/ask/x/${WORD}?v=1`,
      `/ask/tell-me-${WORD}`,
      `/ask/x/tell+me+${WORD}`,
      `/ask/1/${WORD}?api-version=1`,
    ])
      await expectSeen(server(), { path, type: json, body: sent })
  })

  it('asks no guard about a preflight, ids, models and paths of the APIs', async () => {
    const headers = { 'access-control-request-method': 'POST' }
    expect(await sendRaw(server(), { method: 'OPTIONS', path: '/all?api-version=1', headers })).toBe(200)
    expect(guard.asked).toEqual([])
    for (const path of [
      `/api/v1/chat/completions`,
      '/api/openai/deployments/gpt-4o/chat/completions',
      '/api/v1beta/models/gemini-2.5-pro:generateContent',
      '/models/gpt-4o/7',
    ])
      await sendRaw(server(), { path, type: json, body })
    expect(guard.asked.filter((turns) => turns.at(-1)?.text !== 'hi')).toEqual([])
  })
})
