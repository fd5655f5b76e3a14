// The guard behind an OpenAI-compatible server, against a small server that answers as vLLM does, rightly and wrongly.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { json as jsonOf } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { isLlamaGuardError } from '../../../../src/types/errors.js'
import {
  openAiCompatibleComplete,
  type OpenAiCompatibleOptions,
} from '../../../../src/guard/backends/openai-compatible.js'
import { createPrompter } from '../../../../src/guard/prompt/index.js'
import { createGuard } from '../../../../src/index.js'
import { promptedGuard } from '../../../../src/guard/backends/prompted.js'
import { closing } from '../../../helpers/closing.js'
import { type Running, serve } from '../../../helpers/http.js'
import { says } from '../../fake-guards.js'

type Reply = (response: ServerResponse, request: IncomingMessage) => void

let server: Running
let url: string
let reply: Reply
const seen: { path: string | undefined; headers: IncomingMessage['headers']; body: Record<string, unknown> }[] = []

const json =
  (value: unknown, status = 200, headers = {}): Reply =>
  (response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(typeof value === 'string' ? value : JSON.stringify(value))
/** vLLM's /v1/completions with logprobs: 5. */
const completion = (tokens: readonly (readonly [string, number, Record<string, number>?])[], finish = 'stop') => ({
  id: 'cmpl-0',
  object: 'text_completion',
  created: 1,
  model: 'guard',
  choices: [
    {
      index: 0,
      text: tokens.map(([text]) => text).join(''),
      finish_reason: finish,
      stop_reason: null,
      logprobs: {
        tokens: tokens.map(([text]) => text),
        token_logprobs: tokens.map(([, logprob]) => logprob),
        top_logprobs: tokens.map(([text, logprob, top = {}]) => ({ [text]: logprob, ...top })),
        text_offset: [],
      },
    },
  ],
  usage: { prompt_tokens: 200, completion_tokens: tokens.length, total_tokens: 200 + tokens.length },
})
const SAFE = completion([
  ['\n\n', -0.001],
  ['safe', -0.1, { unsafe: -2.4 }],
])

function openGuard(rest: Partial<OpenAiCompatibleOptions> = {}) {
  const complete = openAiCompatibleComplete({
    url: `${url}/v1`,
    model: 'guard',
    timeoutMs: 10_000,
    concurrency: 4,
    ...rest,
  })
  const prompter = createPrompter('llama-guard-3-8b')
  return closing(promptedGuard({ prompter, complete, identity: complete.identity, logprobs: true }))
}
const failure = async (answer: Reply, rest?: Partial<OpenAiCompatibleOptions>) => {
  reply = answer
  const error: unknown = await openGuard(rest)
    .judge(says('my secret words'), {})
    .catch((thrown: unknown) => thrown)
  if (!isLlamaGuardError(error)) throw new Error(`not one of our errors: ${String(error)}`)
  expect(`${error.message} ${String(error.cause)} ${error.stack}`).not.toMatch(/secret words|sk-secret/)
  return error
}

beforeAll(async () => {
  server = await serve(async (request, response) => {
    const body = (await jsonOf(request)) as Record<string, unknown>
    seen.push({ path: request.url, headers: request.headers, body })
    reply(response, request)
  })
  url = server.url
})
afterEach(() => void (seen.length = 0))
afterAll(() => server.close())

describe('A completion', () => {
  it('is asked for with the raw prompt, greedy and short, and read with its score and usage', async () => {
    reply = json(SAFE)
    expect(await openGuard({ apiKey: 'sk-secret' }).judge(says('hello'), {})).toMatchObject({
      safe: true,
      score: expect.closeTo(Math.exp(-2.4) / (Math.exp(-2.4) + Math.exp(-0.1)), 5) as number,
      tokens: { input: 200, output: 2 },
    })
    expect(seen[0]).toMatchObject({
      path: '/v1/completions',
      headers: { authorization: 'Bearer sk-secret' },
      body: { model: 'guard', max_tokens: 32, temperature: 0, logprobs: 5, stream: false },
    })
    expect(seen[0]?.body['prompt']).toContain('User: hello')
    expect(seen[0]?.body).not.toHaveProperty('messages')
  })
  it('is asked for without logprobs, model and key when there are none', async () => {
    reply = json(SAFE)
    const complete = openAiCompatibleComplete({ url: `${url}/v1/`, timeoutMs: 5000, concurrency: 1 })
    closing(complete)
    await complete('prompt', { logprobs: false })
    expect(Object.keys(seen[0]?.body ?? {}).sort()).toEqual(['max_tokens', 'prompt', 'stream', 'temperature'])
    expect(seen[0]?.headers).not.toHaveProperty('authorization')
  })
  it('shows no image, for it carries none', async () => {
    reply = json(SAFE)
    const guard = closing(createGuard({ guard: 'openai', guardUrl: url, guardModel: 'm', model: 'llama-guard-4-12b' }))
    expect(guard.vision).toBe(false)
    await guard.judge([
      { role: 'User', text: 'Look. ![](http://10.0.0.1/)', images: [{ url: 'data:image/png;base64,AA==' }] },
    ])
    const prompt = seen[0]?.body['prompt']
    expect(prompt).toContain('User: Look. ! [](http://10.0.0.1/)')
    expect(prompt).toContain('S14: Code Interpreter Abuse')
    expect(prompt).not.toContain('<|image|>')
  })
  it('is cancelled on the wire when nobody waits for it', async () => {
    let closed = false
    reply = (response) => void response.once('close', () => (closed = true))
    const leaver = new AbortController()
    const pending = openGuard()
      .judge(says('hello'), { signal: leaver.signal })
      .catch((error: unknown) => error)
    await expect.poll(() => seen.length).toBe(1)
    leaver.abort()
    expect(isLlamaGuardError(await pending)).toBe(true)
    await expect.poll(() => closed).toBe(true)
  })
  it('shares a pool of the given size', async () => {
    let now = 0
    let most = 0
    reply = (response, request) => {
      most = Math.max(most, ++now)
      setTimeout(() => (now--, json(SAFE)(response, request)), 10)
    }
    const guard = openGuard({ concurrency: 3 })
    await Promise.all(Array.from({ length: 12 }, (_, index) => guard.judge(says(`${index}`), {})))
    expect(most).toBeLessThanOrEqual(3)
  })
})

describe('A completion that fails', () => {
  const tooLong =
    "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (8968 in the messages, 32 in the completion)."
  it.each([
    [
      'too long for the context',
      json({ object: 'error', message: tooLong, type: 'BadRequestError', code: 400 }, 400),
      'guard_input_too_long',
      false,
    ],
    ['a bad request', json({ error: { message: 'words: my secret words' } }, 400), 'guard_rejected', false],
    ['a wrong key', json({ error: 'Unauthorized' }, 401), 'guard_rejected', false],
    ['no such route or model', json({ error: 'not found' }, 404), 'guard_rejected', false],
    ['a redirect', json('', 307, { location: 'http://127.0.0.1:1/elsewhere' }), 'guard_rejected', false],
    ['throttling', json({}, 429, { 'retry-after': '7' }), 'guard_throttled', true],
    ['a server error', json({}, 500), 'guard_error', true],
    ['a gateway page', json('<html>502</html>', 502), 'guard_unavailable', true],
    ['a gateway timeout', json('', 504), 'guard_timeout', true],
    ['accepted, with no answer', json(SAFE, 202), 'guard_error', false],
    ['HTML with 200', json('<html>safe</html>'), 'guard_error', false],
    ['an empty body', json(''), 'guard_error', false],
    ['cut JSON', json(JSON.stringify(SAFE).slice(0, -5)), 'guard_error', false],
    ['an error with 200', json({ error: { message: 'failed' } }), 'guard_error', true],
    [
      'a failure in words about the context',
      json({ error: 'exceeds the context: ' + tooLong }, 500),
      'guard_error',
      true,
    ],
    ['two choices', json({ ...SAFE, choices: [...SAFE.choices, ...SAFE.choices] }), 'guard_error', false],
    ['a body without end', json(JSON.stringify({ ...SAFE, padding: 'x'.repeat(3_000_000) })), 'guard_error', false],
    ['cut by the token limit', json(completion([['safe', 0]], 'length')), 'unparseable_verdict', false],
    ['safe and more', json(completion([['safety first', 0]])), 'unparseable_verdict', false],
    ['a closed connection', (response) => void response.destroy(), 'guard_unavailable', true],
    [
      'a connection closed within the body',
      (response) =>
        void (
          response.writeHead(200, { 'content-length': 1000 }),
          response.write('{"choices"', () => response.destroy())
        ),
      'guard_unavailable',
      true,
    ],
  ] as [string, Reply, string, boolean][])('is an error: %s', async (_name, answer, code, retryable) => {
    const error = await failure(answer, { apiKey: 'sk-secret' })
    expect([error.code, error.retryable]).toEqual([code, retryable])
    if (code === 'guard_throttled') expect(error.retryAfter).toBe(7)
  })
  it('is guard_timeout when it does not come, or stops halfway', async () => {
    expect((await failure(() => undefined, { timeoutMs: 150 })).code).toBe('guard_timeout')
    expect((await failure((response) => void response.writeHead(200).write('{'), { timeoutMs: 150 })).code).toBe(
      'guard_timeout',
    )
  })
  it('is guard_unavailable when nobody listens', async () => {
    const error = await failure(() => undefined, { url: 'http://127.0.0.1:1/v1' })
    expect([error.code, error.retryable]).toEqual(['guard_unavailable', true])
  })
})

describe('The settings', () => {
  it.each([{ url: 'http://user:pass@host/v1' }, { apiKey: 'key\n' }])('refuse %o at once', (wrong) => {
    expect(() => openAiCompatibleComplete({ url: 'http://host/v1', timeoutMs: 1, concurrency: 1, ...wrong })).toThrow(
      /LLAMA_GUARD_/,
    )
  })
})
