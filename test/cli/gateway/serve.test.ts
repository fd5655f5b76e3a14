// The gateway as its users meet it: their own SDKs in front, a real upstream behind, the emulated guard beside.
import { request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import OpenAI from 'openai'
import { expect, test, vi } from 'vitest'
import { startGateway } from '../../../src/cli/gateway/index.js'
import type { Gateway, GatewayOptions } from '../../../src/cli/gateway/index.js'
import { run } from '../../../src/cli/index.js'
import { startChatEndpoint } from '../../emulator/chat-container.js'
import type { Emulator } from '../../emulator/index.js'
import { closing, endpoint } from '../../helpers/closing.js'
import { markerGuard } from '../../helpers/guards.js'
import { chunk, completion, serve, type Running } from '../../helpers/http.js'
import { catchIo } from '../helpers.js'
import { withProtection } from '../../../src/options/protection.js'
import { rounds } from '../../helpers/sampled.js'

/** A gateway without the environment, stopped when the test ends. */
async function started(given: GatewayOptions): Promise<Gateway> {
  const gateway = await startGateway({ port: 0, drainMs: 0, env: {}, ...given })
  closing({ close: () => gateway.stop() })
  return gateway
}

/** Tells back what the newest message says; a stream comes word by word, with `gapMs` between them. */
async function echoUpstream(gapMs = 0): Promise<Running> {
  const server = await serve((req, res) => {
    void (async () => {
      if (req.method === 'GET')
        return res
          .setHeader('content-type', 'application/json')
          .end('{"object":"list","data":[{"id":"m","object":"model"}]}')
      const body = JSON.parse((await buffer(req)).toString()) as { stream?: boolean; messages: { content: string }[] }
      const text = body.messages.at(-1)?.content ?? ''
      if (body.stream !== true)
        return res.setHeader('content-type', 'application/json').end(JSON.stringify(completion(text)))
      res.setHeader('content-type', 'text/event-stream')
      for (const word of text.split(/(?<= )/)) {
        if (res.destroyed) return undefined
        res.write(chunk({ content: word }))
        await new Promise((wake) => setTimeout(wake, gapMs))
      }
      return res.end(`${chunk({}, { finish: 'stop' })}data: [DONE]\n\n`)
    })()
  })
  return closing(server)
}

async function setup(
  upstreamUrl: string,
  over: GatewayOptions = {},
): Promise<{ gateway: Gateway; emulator: Emulator; openai: OpenAI }> {
  const emulator = await endpoint()
  const gateway = await started({
    options: {
      endpoint: emulator.endpoint,
      upstream: { url: upstreamUrl, apiKey: 'sk-operator' },
      logger: false,
      ...withProtection({ maxAttempts: 1 }),
    },
    ...over,
  })
  return { gateway, emulator, openai: new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'client', maxRetries: 0 }) }
}

const ask = (content: string) => ({ model: 'm', messages: [{ role: 'user' as const, content }] })

test('The openai client lists the models of the upstream', async () => {
  const { openai } = await setup(`${(await echoUpstream()).url}/v1`)
  expect((await openai.models.list()).data[0]?.id).toBe('m')
})

test('The openai client moderates through the gateway', async () => {
  const { openai, emulator } = await setup('http://127.0.0.1:9')
  const { results } = await openai.moderations.create({ input: ['hello', 'UNSAFE_O3'] })
  expect(results.map(({ flagged }) => flagged)).toEqual([false, true])
  expect(results[1]?.categories).toMatchObject({ 'Criminal Planning': true, 'Violence and Hate': false })
  emulator.behave((call) => call.fail({ status: 503, name: 'ServiceUnavailable', body: '{"Message":"down"}' }))
  await expect(openai.moderations.create({ input: ['hello', 'new text'] })).rejects.toMatchObject({ status: 503 })
})

test.each([
  ['POST', '/v1/moderations', '{"input":[]}', 400],
  ['POST', '/v1/embeddings', '{"input":"a"}', 404],
  ['POST', '/v1/files', 'x', 404],
  ['GET', '/v1/chat/completions', undefined, 405],
  ['POST', '/v1/models', '{}', 405],
  ['POST', '/v1/chat/completions', '{"messages":[', 400],
  ['GET', '/v1/models/../files', undefined, 404],
])('%s %s with %s is answered %i here and goes nowhere', async (method, path, body, status) => {
  let calls = 0
  const upstream = closing(await serve((_, res) => (calls++, res.end('{}'))))
  const { gateway } = await setup(upstream.url)
  const reply = await fetch(`${gateway.url}${path}`, { method, body, headers: { 'content-type': 'application/json' } })
  expect([reply.status, calls]).toEqual([status, 0])
  expect(await reply.json()).toHaveProperty('error.message')
})

test.each([
  ['/v1/models/..', 404],
  ['/v1/models/%2E%2e', 404],
  ['/v1/models/..#x', 404],
  ['/v1/models/..\\files\\file-1\\content', 404],
  ['/v1/models/x\\..\\..\\responses\\resp_1', 404],
  ['/v1/models/..%2ffiles', 404],
  ['/v1/models/%5c..%5cfiles', 404],
  ['/v1beta/../x/models/m:generateContent', 404],
  ['/model/a%2F..%2f..%2Fx/converse', 404],
  ['/v1/models/gpt-4.1', 200],
  ['/v1/models/meta-llama%2FLlama-3..1', 200],
])('A path of dots and backslashes reaches no other path of the upstream: %s', async (path, status) => {
  const asked: (string | undefined)[] = []
  const upstream = closing(await serve((req, res) => (asked.push(req.url), res.end('{}'))))
  const { gateway } = await setup(`${upstream.url}/v1`)
  const method = path.startsWith('/v1/models') ? 'GET' : 'POST'
  const answered = await new Promise<number | undefined>((answer) => {
    request(gateway.url, { path, method }, (reply) => answer(reply.resume().statusCode)).end()
  })
  expect([answered, asked]).toEqual([status, status === 200 ? [path] : []])
})

test('Health, readiness and metrics tell how the gateway is', async () => {
  const { gateway, openai } = await setup(`${(await echoUpstream()).url}/v1`)
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200)
  await openai.chat.completions.create(ask('hello'))
  await openai.chat.completions.create(ask('UNSAFE_O3')).catch(() => undefined)
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(metrics).toMatch(/llama_guard_judgements_total\{stage="input",verdict="unsafe",action="block",code=""\} 1/)
  expect(metrics).toMatch(/llama_guard_judgements_total\{stage="output",verdict="safe",action="allow",code=""\} 1/)
  expect(metrics).toMatch(/llama_guard_categories_total\{stage="input",category="O3"\} 1/)
  expect(metrics).not.toContain('hello')
})

test('A gateway whose guard is gone is not ready', async () => {
  const { gateway, emulator } = await setup('http://127.0.0.1:9')
  await emulator.close()
  const reply = await fetch(`${gateway.url}/readyz`)
  expect(reply.status).toBe(503)
  expect(await reply.json()).toEqual({ status: expect.stringMatching(/^guard_/) as string })
})

test('Stopping lets open streams finish, and takes no new request', async () => {
  const { gateway, openai } = await setup(`${(await echoUpstream(20)).url}/v1`, { drainMs: 20_000 })
  const stream = await openai.chat.completions.create({ ...ask('word '.repeat(30).trim()), stream: true })
  const stopped = gateway.stop()
  await expect(fetch(`${gateway.url}/healthz`)).rejects.toThrow()
  let text = ''
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
  expect(text).toBe('word '.repeat(30).trim())
  await stopped
})

test('Stopped under many open streams, every stream ends complete or with an error, none silently', async () => {
  // A guard in this process: 200 streams, their clients and signed guard calls on one thread would measure that thread.
  const upstream = await echoUpstream(100)
  const options = { guard: markerGuard(), upstream: { url: upstream.url }, logger: false } as const
  const gateway = await started({ drainMs: 1000, options })
  const replies = await Promise.all(
    Array.from({ length: rounds(200) }, (_, index) =>
      fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...ask(`stream ${index} ${'word '.repeat(index % 2 === 0 ? 4 : 400)}`), stream: true }),
      }),
    ),
  )
  expect(replies.every(({ status }) => status === 200)).toBe(true)
  const texts = Promise.all(replies.map((reply) => reply.text()))
  await gateway.stop()
  const endings = (await texts).map((text) =>
    text.trimEnd().endsWith('data: [DONE]') && !text.includes('"error"')
      ? 'complete'
      : /data: \{"error":\{[^\n]*"code":"upstream_unavailable"/.test(text)
        ? 'error event'
        : `cut: ${text.slice(-200)}`,
  )
  expect(endings.filter((ending) => ending.startsWith('cut'))).toEqual([])
  expect(endings.filter((_, index) => index % 2 === 1).every((ending) => ending === 'error event')).toBe(true)
}, 60_000)

test('Stopped while the guard hangs, what waits for it is told so, stream and request alike', async () => {
  const upstream = await echoUpstream(1)
  let slow = false
  const gateway = await started({
    drainMs: 50,
    options: {
      guard: markerGuard({ delay: () => (slow ? 60_000 : 0) }),
      timeoutMs: 50_000,
      upstream: { url: upstream.url },
      logger: false,
      cacheMax: 0,
    },
  })
  const post = (body: object): Promise<Response> =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const stream = await post({ ...ask('word '.repeat(400)), stream: true })
  slow = true
  const waiting = post(ask('hello'))
  await new Promise((wake) => setTimeout(wake, 300))
  await gateway.stop()
  expect(await stream.text()).toMatch(/data: \{"error":\{[^\n]*"code":"guard_unavailable"/)
  expect((await waiting).status).toBe(503)
})

test('What the chat model of a SageMaker endpoint says is judged before it is heard', async () => {
  const chat = closing(await startChatEndpoint())
  const emulator = await endpoint()
  const { SageMakerRuntimeClient } = await import('@aws-sdk/client-sagemaker-runtime')
  const { sagemakerChatUpstream } = await import('../../../src/upstream/index.js')
  const client = new SageMakerRuntimeClient({ endpoint: chat.url, maxAttempts: 1 })
  const gateway = await started({
    options: {
      endpoint: emulator.endpoint,
      logger: false,
      check: ['output'],
      upstream: sagemakerChatUpstream({ endpoint: chat.name, client }),
    },
  })
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'x', maxRetries: 0 })
  expect((await openai.chat.completions.create(ask('say hello'))).choices[0]?.message.content).toBe('hello')
  await expect(openai.chat.completions.create(ask('say UNSAFE_O3'))).rejects.toMatchObject({
    status: 451,
    error: { stage: 'output' },
  })
  await expect(openai.chat.completions.create({ ...ask('say UNSAFE_O3'), stream: true })).rejects.toMatchObject({
    status: 451,
  })
})

test('The dashboard is served when asked for, with its playground, and never delays a stop', async () => {
  const upstream = await echoUpstream()
  const plain = await setup(upstream.url)
  expect((await fetch(`${plain.gateway.url}/dashboard`)).status).toBe(404)
  const { gateway, openai } = await setup(`${upstream.url}/v1`, { dashboard: { playground: true }, drainMs: 20_000 })
  const page = `${gateway.url}/dashboard`
  for (const path of [page, `${page}/`]) expect(await (await fetch(path)).text()).toContain('<h1>Llama Guard</h1>')
  await openai.chat.completions.create(ask('hello'))
  const events = await fetch(`${page}?events`)
  const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader()
  let told = ''
  while (!told.includes('\n\n')) told += (await reader.read()).value
  const [first] = /^data: .*$/m.exec(told)!
  expect(JSON.parse(first.slice(6))).toMatchObject({ stages: { input: { safe: 1 } } })
  const question = { user: 'UNSAFE_O3', guard: 'guard' }
  const headers = { 'content-type': 'application/json' }
  const said = await fetch(`${page}?playground`, { method: 'POST', headers, body: JSON.stringify(question) })
  expect(await said.json()).toMatchObject({ verdict: 'unsafe', action: 'block' })
  // With an open page, too: the test would run out of time otherwise.
  await gateway.stop()
})

test('The serve command listens, tells where and for whom the dashboard is, and stops on its signal', async () => {
  const emulator = await endpoint()
  const upstream = await echoUpstream()
  const served = async (flags: readonly string[], env: Record<string, string> = {}): Promise<string> => {
    const stop = new AbortController()
    const settings = { LLAMA_GUARD_ENDPOINT: emulator.endpoint, LLAMA_GUARD_LOG_LEVEL: 'silent', ...env }
    const io = { ...catchIo({ ...emulator.env, ...settings }), signal: stop.signal }
    const running = run(['serve', '--port', '0', '--drain-ms', '0', '--upstream-url', upstream.url, ...flags], io)
    await vi.waitFor(() => expect(io.err()).toContain('Dashboard: '))
    const url = /http:\/\/\S+?(?=\.\s)/.exec(io.err())?.[0] ?? ''
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    stop.abort()
    expect(await running).toBe(0)
    expect(io.err()).toMatch(/Stopped\.\n$/)
    return io.err()
  }
  expect(await served(['--dashboard'])).toMatch(/Dashboard: http:\S+\/dashboard, for this machine alone\.$/m)
  const told = await served(['--playground'], { LLAMA_GUARD_DASHBOARD_TOKEN: 'planted-token' })
  expect(told).toMatch(/, for whoever has the token\.$/m)
  expect(told).not.toContain('planted-token')
})
