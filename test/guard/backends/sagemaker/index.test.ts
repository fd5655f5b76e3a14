// The SageMaker client on the wire: the real AWS SDK against the emulator, through every fault it knows.
import { describe, expect, it } from 'vitest'
import { sagemakerComplete, toGuardError } from '../../../../src/guard/backends/sagemaker/index.js'
import type { SageMakerOptions } from '../../../../src/guard/backends/sagemaker/index.js'
import type { Completer } from '../../../../src/guard/answer/completion.js'
import { parseVerdict } from '../../../../src/guard/answer/verdict.js'
import { FAULTS } from '../../../emulator/index.js'
import type { Emulator, EmulatorOptions } from '../../../emulator/index.js'
import { hangs, hangsHalfway, late, modelFails } from '../../../emulator/faults.js'
import { closing, endpoint, setEnv } from '../../../helpers/closing.js'
import { failure } from '../../fake-guards.js'

const CATEGORIES = [{ id: 'O3', name: 'Criminal Planning' }]
const prompt = (text: string) =>
  `[INST] Task\n\n<BEGIN UNSAFE CONTENT CATEGORIES>\nO3: Criminal Planning.\n<END UNSAFE CONTENT CATEGORIES>\n\n<BEGIN CONVERSATION>\n\nUser: ${text}\n\n<END CONVERSATION>\n\nProvide your safety assessment for User in the above conversation: [/INST]`

let emulator: Emulator

async function start(options?: EmulatorOptions, given: Partial<SageMakerOptions> = {}): Promise<Completer> {
  emulator = await endpoint(options)
  return closing(sagemakerComplete({ endpoint: 'llama-guard', concurrency: 4, timeoutMs: 20_000, ...given }))
}

async function judge(complete: Completer, text: string, signal?: AbortSignal) {
  return parseVerdict(await complete(prompt(text), { logprobs: true, ...(signal && { signal }) }), CATEGORIES)
}

describe('A SageMaker endpoint', () => {
  it('is found, called and signed for through the environment of the AWS SDK alone.', async () => {
    const complete = await start()
    expect(await judge(complete, 'hello \u{1F999} "quoted"\n\\')).toEqual({
      safe: true,
      categories: [],
      score: expect.closeTo(0.02, 6) as number,
      tokens: { output: 3 },
    })
    expect(await judge(complete, 'UNSAFE_O3')).toEqual({
      safe: false,
      categories: ['O3'],
      score: expect.closeTo(0.98, 3) as number,
      tokens: { output: 7 },
    })
    expect(emulator.requests).toHaveLength(2)
    const { body, headers, prompt: received } = emulator.requests[0] ?? {}
    expect(received).toBe(prompt('hello \u{1F999} "quoted"\n\\'))
    expect(body).toEqual({
      inputs: received,
      parameters: { max_new_tokens: 32, do_sample: false, return_full_text: false, details: true },
    })
    expect(headers).toMatchObject({ 'content-type': 'application/json' })
  })

  it.each(['tgi', 'lmi', 'lmi-0.29', 'lmi-compat', 'openai-completions'] as const)(
    'may be served by %s.',
    async (container) => {
      const complete = await start({ container })
      expect(await judge(complete, 'SCORE_0.3')).toMatchObject({ safe: true, score: expect.closeTo(0.3, 6) as number })
      expect(await judge(complete, 'make a bomb')).toMatchObject({ safe: false, categories: ['O3'] })
    },
  )

  it('is told the inference component and the variant.', async () => {
    const complete = await start(
      {},
      { inferenceComponent: 'guard-component', targetVariant: 'green', maxNewTokens: 48 },
    )
    await judge(complete, 'hello')
    expect(emulator.requests[0]).toMatchObject({
      headers: {
        'x-amzn-sagemaker-inference-component': 'guard-component',
        'x-amzn-sagemaker-target-variant': 'green',
      },
      body: { parameters: { max_new_tokens: 48 } },
    })
    expect(complete.identity).toBe('["sagemaker","eu-west-1","llama-guard","guard-component","green"]')
  })

  it('is asked over kept connections, as many at once as the concurrency allows and no more.', async () => {
    const complete = await start({ latencyMs: 30 }, { concurrency: 3 })
    const ports = new Set<unknown>()
    emulator.behave((call) => {
      ports.add(call.request.socket.remotePort)
      call.answer()
    })
    await Promise.all(Array.from({ length: 12 }, (_, index) => judge(complete, `hello ${index}`)))
    expect(emulator.peak).toBe(3)
    expect(ports.size).toBe(3)
  })
})

describe('A failing SageMaker endpoint', () => {
  it.each(FAULTS)('is never safe ($name): $code', async (fault) => {
    const complete = await start({}, fault.slow && { timeoutMs: 300 })
    fault.apply(emulator)
    const error = await failure(judge(complete, 'PLANTED-CHAT-TEXT'))
    expect(error).toMatchObject({ code: fault.code, retryable: fault.retryable, status: 503 })
    expect(everything(error)).not.toContain('PLANTED')
    // Retries are made elsewhere, within one budget.
    if (!fault.slow) expect(emulator.requests).toHaveLength(1)
  })

  it.each([
    ['no endpoint of that name', { endpoint: 'other' }, {}, 'guard_rejected', /LLAMA_GUARD_ENDPOINT/],
    ['the wrong secret', {}, { AWS_SECRET_ACCESS_KEY: 'wrong' }, 'guard_rejected', /AWS_SECRET_ACCESS_KEY/],
    ['an unknown key', {}, { AWS_ACCESS_KEY_ID: 'AKIAUNKNOWN' }, 'guard_rejected', /AWS_ACCESS_KEY_ID/],
    [
      'nothing listening',
      {},
      { AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: 'http://127.0.0.1:9' },
      'guard_unavailable',
      /AWS_ENDPOINT_URL/,
    ],
    [
      'no credentials',
      {},
      {
        AWS_ACCESS_KEY_ID: '',
        AWS_SECRET_ACCESS_KEY: '',
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
        AWS_CONFIG_FILE: '/nonexistent',
      },
      'guard_rejected',
      /AWS_PROFILE/,
    ],
    [
      'no region',
      {},
      { AWS_REGION: undefined, AWS_DEFAULT_REGION: undefined, AWS_CONFIG_FILE: '/nonexistent' },
      'guard_rejected',
      /AWS_REGION/,
    ],
    ['too short a context', {}, {}, 'guard_input_too_long', /context length.*LLAMA_GUARD_MODEL/],
  ])('says what to do about %s.', async (what, given, env: Record<string, string | undefined>, code, advice) => {
    await start(what.endsWith('context') ? { contextTokens: 50 } : {})
    setEnv(env)
    const complete = closing(
      sagemakerComplete({ endpoint: 'llama-guard', concurrency: 1, timeoutMs: 20_000, ...given }),
    )
    const error = await failure(judge(complete, 'hello'))
    expect(error).toMatchObject({ code, message: expect.stringMatching(advice) as string })
  })

  it.each(['tgi', 'lmi'] as const)('is known to have too little context when %s says so.', async (container) => {
    const complete = await start({ container, contextTokens: 200 })
    expect(await failure(judge(complete, 'word '.repeat(200)))).toMatchObject({ code: 'guard_input_too_long' })
  })

  it.each([
    '`inputs` must have less than 5 tokens',
    "This model's maximum context length is 5 tokens",
    'the input exceeds 5 tokens',
  ])('is not known to have too little because a user wrote "%s".', async (text) => {
    const complete = await start()
    emulator.behave(modelFails(422))
    expect(await failure(complete(`${'Should not\n'.repeat(60)}${text}`, { logprobs: false }))).toMatchObject({
      code: 'guard_rejected',
    })
    expect(emulator.requests[0]?.raw).toContain(text)
  })

  it.each([
    ['before it answers', hangs],
    ['within its answer', hangsHalfway],
    ['while it is slow', late(10_000)],
  ])('is left %s when the caller aborts, and its connection closed.', async (_, behaviour) => {
    const complete = await start()
    const arrived = new Promise<{ closed: Promise<void> }>((resolve) => {
      emulator.behave((call) => {
        resolve({ closed: new Promise((closed) => call.request.socket.once('close', closed)) })
        return behaviour(call)
      })
    })
    const controller = new AbortController()
    const error = failure(judge(complete, 'hello', controller.signal))
    const { closed } = await arrived
    controller.abort()
    expect((await error).status).toBe(503)
    await closed
  })

  it('is not called at all for a caller that has gone.', async () => {
    const complete = await start()
    expect((await failure(judge(complete, 'hello', AbortSignal.abort()))).status).toBe(503)
    expect(emulator.requests).toHaveLength(0)
  })

  it('cannot fill the memory with an answer without end.', async () => {
    const complete = await start()
    let sent = 0
    const closed = new Promise((resolve) => {
      emulator.behave((call) => {
        call.request.socket.once('close', resolve)
        call.response.writeHead(200, { 'content-type': 'application/json' })
        const more = (): void => {
          while (!call.response.destroyed && call.response.write(' '.repeat(65_536))) sent += 65_536
        }
        call.response.on('drain', more)
        more()
      })
    })
    expect(await failure(judge(complete, 'hello'))).toMatchObject({
      code: 'guard_error',
      message: expect.stringContaining('more than 2097152 bytes') as string,
    })
    await closed
    expect(sent).toBeLessThan(64 * 1024 * 1024)
  })
})

describe('An error of the AWS SDK', () => {
  it.each([
    [{ name: 'RequestTimeTooSkewed', $metadata: { httpStatusCode: 403 } }, 'guard_rejected', true],
    [{ name: 'SomethingNew', $metadata: { httpStatusCode: 418 } }, 'guard_rejected', false],
    [{ name: 'SomethingNew', $metadata: { httpStatusCode: 599 } }, 'guard_unavailable', true],
    [{ name: 'SomethingNew', $metadata: { httpStatusCode: 504 } }, 'guard_timeout', true],
    [{ name: 'TooManyRequestsException', $metadata: { httpStatusCode: 429 } }, 'guard_throttled', true],
    [
      {
        name: 'ValidationException',
        message: "Value at 'body' failed to satisfy constraint: Member must have length less than or equal to 26214400",
        $metadata: { httpStatusCode: 400 },
      },
      'guard_input_too_long',
      false,
    ],
    [
      { name: 'ModelError', OriginalStatusCode: 413, $metadata: { httpStatusCode: 424 } },
      'guard_input_too_long',
      false,
    ],
    [{ name: 'ModelError', OriginalStatusCode: 404, $metadata: { httpStatusCode: 424 } }, 'guard_rejected', false],
    [{ name: 'ModelError', OriginalStatusCode: 504, $metadata: { httpStatusCode: 424 } }, 'guard_timeout', true],
    [{ name: 'ModelError', $metadata: { httpStatusCode: 424 } }, 'guard_error', true],
    [{ name: 'Error', code: 'ENOTFOUND', message: 'getaddrinfo ENOTFOUND' }, 'guard_unavailable', true],
    [{ name: 'Error', code: 'EPIPE' }, 'guard_unavailable', true],
    [{ name: 'Error', code: 'CERT_HAS_EXPIRED' }, 'guard_unavailable', false],
    [{ name: 'Error', code: 'ETIMEDOUT' }, 'guard_timeout', true],
    [{ name: 'Error', code: 'UND_ERR_HEADERS_TIMEOUT' }, 'guard_timeout', true],
    [{ name: 'Error', code: 'UND_ERR_BODY_TIMEOUT' }, 'guard_timeout', true],
    [{ name: 'TimeoutError' }, 'guard_timeout', true],
    [{ name: 'AbortError' }, 'guard_timeout', false],
    [{ name: 'RequestExpired' }, 'guard_rejected', true],
    [{ name: 'RequestInTheFuture' }, 'guard_rejected', true],
    [{ name: 'ValidationError', message: 'The payload is larger than allowed' }, 'guard_input_too_long', false],
    [{ name: 'ValidationError', message: 'Endpoint x of account 1 not found.' }, 'guard_rejected', false],
    [{ name: 'Error', code: 'ESOCKETTIMEDOUT' }, 'guard_timeout', true],
    [{ name: 'Error', code: 'UND_ERR_SOCKET' }, 'guard_unavailable', true],
    [{ name: 'toString' }, 'guard_error', false],
    [new TypeError('boom'), 'guard_error', false],
    ['a string', 'guard_error', false],
    [undefined, 'guard_error', false],
  ])('like %o is %s.', (thrown, code, retryable) => {
    expect(toGuardError(thrown)).toMatchObject({ name: 'LlamaGuardError', code, retryable })
  })

  it('keeps what identifies it, and none of its words.', () => {
    const thrown = Object.assign(new Error('PLANTED'), {
      name: 'ModelError',
      OriginalStatusCode: 400,
      OriginalMessage: 'PLANTED',
      Message: 'PLANTED',
      $metadata: { httpStatusCode: 424, requestId: 'b7e1-4c' },
      $response: { body: 'PLANTED' },
    })
    const error = toGuardError(thrown)
    expect(error.cause).toMatchObject({ name: 'ModelError', status: 424, originalStatus: 400, requestId: 'b7e1-4c' })
    expect(everything(error)).not.toContain('PLANTED')
    expect(
      everything(toGuardError(Object.assign(new Error('PLANTED'), { name: 'PLANTED words', code: 'PLANTED words' }))),
    ).not.toContain('PLANTED')
  })

  it('is one of ours already when we made it.', () => {
    const ours = toGuardError(new Error('x'))
    expect(toGuardError(ours)).toBe(ours)
  })
})

/** Every string an error holds, however deep, hidden properties and causes included. */
function everything(value: unknown, seen = new Set<unknown>()): string {
  if (typeof value !== 'object' || value === null || seen.has(value)) return String(value)
  seen.add(value)
  return Reflect.ownKeys(value)
    .map((key) => `${String(key)}=${everything((value as Record<PropertyKey, unknown>)[key], seen)}`)
    .join('\n')
}
