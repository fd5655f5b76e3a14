// The first-token decision through the real AWS SDK: "safe" early, "unsafe" whole, everything else an error.
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { isLlamaGuardError } from '../../../../src/errors.js'
import { createPrompter } from '../../../../src/guard/prompt/index.js'
import { promptedGuard } from '../../../../src/guard/backends/prompted.js'
import { sagemakerStreamComplete } from '../../../../src/guard/backends/sagemaker/first-token.js'
import { emulatorEnv } from '../../../emulator/index.js'
import {
  internalStreamFailure,
  lmiStream,
  modelStreamError,
  openAiStream,
  startStreamEmulator,
  tgiStream,
  type StreamEmulator,
  type StreamStep,
} from '../../../emulator/response-stream.js'
import { says } from '../../fake-guards.js'

let emulator: StreamEmulator
const guards: ReturnType<typeof openGuard>[] = []

function openGuard(timeoutMs = 20_000) {
  const complete = sagemakerStreamComplete({ endpoint: 'llama-guard', concurrency: 4, timeoutMs })
  return promptedGuard({
    prompter: createPrompter('llama-guard-3-8b'),
    complete,
    identity: complete.identity,
    logprobs: true,
  })
}

async function judge(script: readonly StreamStep[], timeoutMs?: number): Promise<unknown> {
  emulator.script = script
  const guard = openGuard(timeoutMs)
  guards.push(guard)
  return guard.judge(says('hello'), {}).then(
    ({ safe, categories }) => (safe ? 'safe' : `unsafe ${categories.join()}`),
    (error: unknown) => (isLlamaGuardError(error) ? error.code : `foreign ${String(error)}`),
  )
}

beforeAll(async () => {
  emulator = await startStreamEmulator()
  for (const [name, value] of Object.entries(emulatorEnv(emulator))) vi.stubEnv(name, value)
})
afterEach(() => {
  emulator.partSize = Infinity
  for (const guard of guards.splice(0)) void guard.close?.()
})
afterAll(async () => {
  await emulator.close()
})

describe.each([
  ['TGI', tgiStream],
  ['LMI', lmiStream],
  ['OpenAI', openAiStream],
] as const)('a stream of %s', (_name, stream) => {
  it('is safe at the word, without waiting for the end', async () => {
    const [first = '', word = '', ...rest] = stream(['\n\n', 'safe', '\n'])
    expect(await judge([first, word, 'hang', ...rest])).toBe('safe')
  })
  it('is unsafe with the categories that come after the word', async () => {
    expect(await judge(stream(['\n\n', 'unsafe', '\n', 'S', '1', ',S', '10']))).toBe('unsafe S1,S10')
  })
  it('is read the same however it is cut into parts', async () => {
    for (const tokens of [
      ['\n\n', 'safe'],
      ['\n\n', 'unsafe', '\nS2'],
    ]) {
      for (const size of [1, 3, 7, 50]) {
        emulator.partSize = size
        expect(await judge(stream(tokens))).toBe(tokens.includes('safe') ? 'safe' : 'unsafe S2')
      }
    }
  })
  it('is unparseable when it says anything else', async () => {
    for (const tokens of [
      ['safety', ' first'],
      ['Safe'],
      ['I cannot help'],
      ['\n\n'],
      ['un'],
      ['"safe"'],
      ['not safe'],
    ])
      expect(await judge(stream(tokens))).toBe('unparseable_verdict')
  })
})

describe('A stream', () => {
  it('is safe for no other text than the word itself', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.constantFrom('safe', 'unsafe', 's', 'a', 'fe', 'un', '\n\n', ' ', 'S1', 'Safe', '.'),
            fc.string(),
          ),
          { maxLength: 5 },
        ),
        async (tokens) => {
          const verdict = await judge(tgiStream(tokens))
          const soFar = tokens.map((_token, index) =>
            tokens
              .slice(0, index + 1)
              .join('')
              .replace(/^[ \t\r\n]+/, ''),
          )
          expect(verdict === 'safe').toBe(
            soFar.includes('safe') || (soFar.at(-1) ?? '').replace(/(?:<\/s>|<\|[a-z_]+\|>|\s)+$/g, '') === 'safe',
          )
        },
      ),
      { numRuns: 60 },
    )
  })
  it('that ends without the end of its answer is not safe', async () => {
    expect(await judge([tgiStream(['\n\n', 'safe'])[0] ?? ''])).toBe('unparseable_verdict')
    expect(await judge([])).toBe('unparseable_verdict')
  })
  it('is not decided early by a word that only begins with safe, or by one in another spelling', async () => {
    for (const word of ['safety', 'safe.', 'Safe', ' safe\u00a0', 'SAFE'])
      expect(await judge([tgiStream([word])[0] ?? '', 'hang'], 300)).toBe('guard_timeout')
  })
  it('whose word comes together with a bad end is not safe', async () => {
    const event = (finishReason: string): string =>
      `${JSON.stringify({ token: { id: 1, text: 'safe', log_prob: -0.1 }, details: { finish_reason: finishReason } })}\n`
    for (const reason of ['length', 'error', 'abort']) expect(await judge([event(reason)])).toBe('unparseable_verdict')
    expect(await judge([event('eos_token')])).toBe('safe')
  })
  it('whose last line has no line break is read to its end', async () => {
    const [last = ''] = lmiStream(['unsafe\nS1'])
    expect(await judge([last.trimEnd()])).toBe('unsafe S1')
    const [word = '', end = ''] = lmiStream(['\n\nunsafe', '\nS9'], 'length')
    expect(await judge([word, end.trimEnd()])).toBe('unsafe S9')
  })
  it('that broke off at the token limit is not safe', async () => {
    expect(await judge(lmiStream(['safe'], 'length'))).toBe('unparseable_verdict')
  })
  it('whose generation failed is not safe', async () => {
    const failed = JSON.stringify({
      token: { id: -1, text: '', log_prob: -1, special_token: true },
      generated_text: '',
      details: { finish_reason: 'error', generated_tokens: null, inputs: null },
    })
    expect(await judge([`${failed}\n`])).toBe('unparseable_verdict')
    expect(await judge([lmiStream(['\n\n', 'safe'])[0] ?? '', `${failed}\n`])).toBe('unparseable_verdict')
  })
  it.each([
    [
      'an error event of the container',
      ['data:{"error":"Request failed during generation","error_type":"generation"}\n\n'],
      'guard_error',
    ],
    ['a line that is no JSON', ['<html>502</html>\n'], 'guard_error'],
    ['JSON of another shape', ['{"outputs":"safe"}\n'], 'guard_error'],
    ['a model stream error', [modelStreamError('StreamBroken')], 'guard_error'],
    ['a model that took too long', [modelStreamError('ModelInvocationTimeExceeded')], 'guard_timeout'],
    ['an internal failure', [internalStreamFailure()], 'guard_error'],
    ['frames with a wrong checksum', [Buffer.from(modelStreamError('StreamBroken')).fill(0, 20, 24)], 'guard_error'],
  ] as [string, StreamStep[], string][])('with %s is an error', async (_name, script, code) => {
    expect(await judge(script)).toBe(code)
    expect(await judge([tgiStream(['\n\n'])[0] ?? '', ...script])).toBe(code)
  })
  it('that stops in the middle is guard_timeout, and its connection is closed', async () => {
    const cut = emulator.cut
    expect(await judge([tgiStream(['\n\n', 'un'])[0] ?? '', 'hang'], 200)).toBe('guard_timeout')
    await expect.poll(() => emulator.cut).toBe(cut + 1)
  })
  it('is read to its end behind the verdict, so that the connection serves the next call', async () => {
    const guard = openGuard()
    guards.push(guard)
    const { connections } = emulator
    const [first = '', word = '', ...rest] = tgiStream(['\n\n', 'safe'])
    emulator.script = [first, word, 20, ...rest]
    for (let index = 0; index < 5; index++) {
      expect(await guard.judge(says(`${index}`), {})).toMatchObject({
        safe: true,
        score: expect.closeTo(0.0198, 3) as number,
      })
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(emulator.connections - connections).toBe(1)
  })
  it('is asked for with the prompt raw, not echoed, and greedy', async () => {
    await judge(tgiStream(['safe']))
    expect(emulator.bodies.at(-1)).toMatchObject({
      stream: true,
      parameters: { do_sample: false, return_full_text: false },
    })
    expect(emulator.bodies.at(-1)?.['inputs']).toContain('hello')
  })
  it('that fails inside a client of the caller is an error too', async () => {
    const failing = (event: object) =>
      ({
        send: () =>
          Promise.resolve({
            Body: (async function* () {
              yield { PayloadPart: { Bytes: Buffer.from(tgiStream(['\n\n'])[0] ?? '') } }
              yield event
            })(),
          }),
      }) as unknown as SageMakerRuntimeClient
    for (const [event, error] of [
      [
        {
          ModelStreamError: Object.assign(new Error('PLANTED'), {
            name: 'ModelStreamError',
            ErrorCode: 'ModelInvocationTimeExceeded',
          }),
        },
        { code: 'guard_timeout', retryable: true },
      ],
      [
        { InternalStreamFailure: Object.assign(new Error('x'), { name: 'InternalStreamFailure' }) },
        { code: 'guard_error', retryable: true },
      ],
      [{ $unknown: ['Surprise', {}] }, { code: 'guard_error', retryable: false }],
    ] as const) {
      const client = failing(event)
      const complete = sagemakerStreamComplete({ endpoint: 'x', concurrency: 1, timeoutMs: 5000, client })
      await expect(complete('prompt', { logprobs: false })).rejects.toMatchObject(error)
    }
  })
  it('goes through a client of the caller, which stays open', async () => {
    const client = new SageMakerRuntimeClient({ maxAttempts: 1 })
    const complete = sagemakerStreamComplete({ endpoint: 'x', concurrency: 1, timeoutMs: 5000, client })
    emulator.script = tgiStream(['safe'])
    await complete('prompt', { logprobs: false })
    complete.close()
    expect((await complete('prompt', { logprobs: false })).text).toBe('safe')
    client.destroy()
  })
})
