// The option `handler`: an answer of the operator's own to a block, in Express and in node:http, for a request, for a
// whole reply and for a stream before its first byte.
import { describe, expect, it } from 'vitest'
import type { ServerResponse } from 'node:http'
import type { Decision } from '../src/types.js'
import { llamaGuard, type LlamaGuardOptions } from '../src/index.js'
import { EXPRESSES, serving } from './helpers/apps.js'
import { markerGuard, memoryLogger } from './helpers/guards.js'
import { chat, chunk, completion, send, serve } from './helpers/http.js'

type Handler = NonNullable<LlamaGuardOptions['handler']>
const page: Handler = (_req, res, decision) => {
  res.writeHead(418, { 'content-type': 'text/html', 'x-why': decision.stage })
  res.write('<p>')
  res.end(Buffer.from('No.</p>'))
}
const options = (handler: Handler): LlamaGuardOptions => ({ guard: markerGuard(), logger: memoryLogger(), handler })

describe('A block with a handler', () => {
  it.each([
    ['a request', chat('UNSAFE'), 'input'],
    ['a reply', chat('hi'), 'output'],
    ['a stream before its first byte', chat('hi', { stream: true }), 'output'],
  ])('of %s is answered by it', async (_what, body, stage) => {
    const guard = llamaGuard(options(page))
    const app = (res: ServerResponse): void => {
      res.setHeader('x-model', 'PLANTED')
      if (stage === 'output' && 'stream' in body) {
        res.setHeader('content-type', 'text/event-stream')
        res.end(chunk({ content: 'UNSAFE' }) + 'data: [DONE]\n\n')
      } else res.end(JSON.stringify(completion('UNSAFE')))
    }
    const server = await serve((req, res) => guard(req, res, () => app(res)))
    const reply = await send(`${server.url}/v1/chat/completions`, { body })
    await server.close()
    expect([reply.status, reply.text, reply.headers['content-type'], reply.headers['x-why']]).toEqual([
      418,
      '<p>No.</p>',
      'text/html',
      stage,
    ])
    expect(reply.headers['llama-guard']).toContain(`${stage}=unsafe;cat="O3"`)
    expect(reply.headers).not.toHaveProperty('x-model')
  })

  it.each(EXPRESSES)("has Express' methods on %s", async (_name, express) => {
    const app = express()
    app.use(
      llamaGuard(
        options((_req, res, { categories }) => {
          ;(res as ServerResponse & { status(code: number): { json(body: unknown): void } })
            .status(403)
            .json({ why: categories.map(({ name }) => name) })
        }),
      ),
    )
    await serving(app, async ({ url }) => {
      const reply = await send(`${url}/v1/chat/completions`, { body: chat('UNSAFE') })
      expect([reply.status, reply.json()]).toEqual([403, { why: ['Criminal Planning'] }])
    })
  })

  it.each<[string, Handler, string]>([
    [
      'throws',
      () => {
        throw new RangeError('no page')
      },
      'RangeError',
    ],
    ['does not end at once', (_req, res) => void setTimeout(() => res.end(), 5), 'TypeError'],
  ])('that %s is told to the operator, and the client gets ours', async (_what, handler, name) => {
    const logger = memoryLogger()
    const guard = llamaGuard({ ...options(handler), logger })
    const server = await serve((req, res) => guard(req, res, () => res.end('{}')))
    const reply = await send(`${server.url}/v1/chat/completions`, { body: chat('UNSAFE') })
    await server.close()
    expect([reply.status, reply.json().error.code]).toEqual([451, 'content_filter'])
    expect(logger.lines.find(({ fields }) => fields['option'] === 'handler')?.fields).toMatchObject({ error: { name } })
  })

  it('is no answer to what could not be judged', async () => {
    const asked: Decision[] = []
    const failing = { judge: () => Promise.reject(new Error('down')) }
    const guard = llamaGuard({ ...options((_req, _res, decision) => void asked.push(decision)), guard: failing })
    const server = await serve((req, res) => guard(req, res, () => res.end('{}')))
    expect((await send(`${server.url}/v1/chat/completions`, { body: chat('hi') })).status).toBe(503)
    await server.close()
    expect(asked).toEqual([])
  })
})
