// Which paths are guarded, on the wire: every spelling that some router, proxy or server takes for a guarded path.
import { describe, it } from 'vitest'
import type { Middleware } from '../../src/types.js'
import { EXPRESSES, SERVERS, type Mount } from '../helpers/apps.js'
import { serve } from '../helpers/http.js'
import { WORD, handler, ours, chat, json, forget, expectSeen, expectUntouched, serving } from './planted.js'
import { few } from '../helpers/sampled.js'

/** Ways to write `/v1/completions` that some router, proxy or server takes for it. */
const SPELLINGS = [
  '/v1/completions',
  '/V1/Completions',
  '/v1/completions/',
  '/v1//completions',
  '//v1/completions',
  '/./v1/completions',
  '/v1/./completions',
  '/v1/.;a/completions',
  '/x/../v1/completions',
  '/v1/x/../completions',
  '/v1/x//../completions',
  '/x/..;/v1/completions',
  '/v1\\completions',
  '/v1%5Ccompletions',
  '/v1%2fcompletions',
  '/v1/%63ompletions',
  '/v1/%2563ompletions',
  '/v1/%252563ompletions',
  '/%2e%2e/v1/completions',
  '/v1/x/%2e%2e/completions',
  '/v1/x/%2E./completions',
  '/v1/x%2f..%2fcompletions',
  '/v1/completions;a=b',
  '/v1;a=b/completions;c',
  '/v1/completions%3Ba=b',
  '/v1/completions%20',
  '/v1/completions%00',
  '/v1/completions%00.txt',
  '/v1/completions?x=/v1/embeddings',
  '/v1/completions%3Fx=1',
  '/v1/completions#x',
  '/v1/completions%23x',
  'http://localhost/v1/completions',
  'HTTPS://user:pw@localhost:1/v1/completions?x',
  '//localhost/v1/completions',
]

/** The same on other base paths: what stands before, and what Express itself does not resolve. */
const NAMED: readonly (readonly [readonly string[], readonly string[]])[] = [
  [['/v1/completions'], SPELLINGS],
  [['/V1/Completions/'], SPELLINGS],
  [['/v1/*'], [...SPELLINGS, '/v1/../ask', '/v1/%2e%2e/ask', '/v1/..%2fask', '/v1/..;/ask', '/v1']],
  [['/other', '/v1/c*'], SPELLINGS],
]

describe.each(few(SERVERS, 1))('the path of a request on %s', (_name, mount: Mount) => {
  const known = serving(mount([ours()], handler))
  it.each(SPELLINGS)('%s is known', (path) =>
    expectSeen(known(), { path, type: json, body: JSON.stringify({ prompt: WORD }) }),
  )

  describe.each(NAMED)('and paths: %j', (paths, spellings) => {
    const named = serving(mount([ours({ paths })], handler))
    it.each(spellings)('%s is named', (path) => expectSeen(named(), { path, type: json, body: chat }))
    it.each(spellings)('%s with another body is judged word by word', (path) =>
      expectSeen(named(), { path, type: json, body: JSON.stringify({ question: WORD }) }),
    )
    it.each(['/ask', '/v2/completion', '/', '/v1x/completions'])('%s is not judged, because it is not named', (path) =>
      expectUntouched(named(), { path, type: json, body: chat }),
    )
  })

  const named = serving(mount([ours({ paths: ['/ask'] })], handler))
  it.each(['GET', 'HEAD', 'DELETE', 'TRACE'])('named in paths is judged when it is asked by %s', async (method) => {
    for (const path of [`/ask?q=${WORD}`, `/x/../ask?q=${WORD}`]) await expectSeen(named(), { path, method })
    await expectSeen(named(), { path: '/ask', method, type: json, body: `{"q":"${WORD}"}` })
  })

  it('named in paths lets a CORS preflight pass, and no other words', async () => {
    await expectUntouched(named(), { path: '/ask', method: 'OPTIONS' })
    forget()
    const headers = { origin: 'https://x.test', 'access-control-request-method': 'POST' }
    await expectSeen(named(), { method: 'OPTIONS', path: `/ask?q=${WORD}` })
    await expectSeen(named(), {
      method: 'OPTIONS',
      path: '/ask',
      headers,
      type: json,
      body: `{"q":"${WORD}"}`,
    })
  })

  it('that is known lets a GET without a body pass', () =>
    expectUntouched(known(), { method: 'GET', path: '/v1/completions?limit=1' }))

  it('is read as it came and as somebody rewrote it', async () => {
    const rewrite =
      (url: string): Middleware =>
      (req, _res, next) => {
        Object.assign(req, { originalUrl: req.url, url })
        next()
      }
    for (const [from, to] of [
      ['/v1/completions', '/ask'],
      ['/ask', '/v1/completions'],
      ['/ask', '/v1/%63ompletions'],
    ] as const) {
      const server = await serve(mount([rewrite(to), ours()], handler))
      await expectSeen(server, { path: from, type: json, body: JSON.stringify({ prompt: WORD }) })
      await server.close()
    }
  })
})

describe.each(EXPRESSES)('a mount on %s', (_name, express) => {
  it('is read with the path it is mounted on, and without', async () => {
    for (const paths of [['/v1/ask'], ['/ask'], ['/V1/*']]) {
      const app = express()
      app.use('/v1', ours({ paths }), handler)
      const server = await serve(app)
      for (const path of ['/v1/ask', '/v1/%61sk', '/v1//ask/'])
        await expectSeen(server, { path, type: json, body: JSON.stringify({ question: WORD }) })
      await server.close()
    }
  })
})
