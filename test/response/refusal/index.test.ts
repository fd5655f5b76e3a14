// The answer to a client that gets no reply: its status, its headers and its body, decision by decision.
import { describe, expect, it } from 'vitest'
import { customDialect } from '../../../src/dialects/custom.js'
import { geminiStreaming } from '../../../src/dialects/gemini.js'
import { ollamaChat } from '../../../src/dialects/ollama-chat.js'
import { openaiChat } from '../../../src/dialects/openai-chat.js'
import { LlamaGuardError, publicError, type ErrorCode } from '../../../src/types/errors.js'
import { decide, decideError } from '../../../src/policy.js'
import { DEFAULT_REFUSAL, plainDialect, type RefusalContext, refusalOf } from '../../../src/response/refusal.js'
import type { Decision, GuardedRequest, Stage } from '../../../src/types.js'

const POLICY = { mode: 'enforce', onError: 'closed' } as const
const CATEGORIES = [{ id: 'O3', name: 'Criminal Planning' }]
const blocked = (stage: Stage): Decision =>
  decide(
    stage,
    [{ verdict: { safe: false, categories: ['O3'] }, ms: 1, model: 'fake' }],
    { ...POLICY, onError: 'closed' },
    CATEGORIES,
  )
const safe = (stage: Stage): Decision =>
  decide(stage, [{ verdict: { safe: true, categories: [] }, ms: 1, model: 'fake' }], POLICY, CATEGORIES)
const failed = (error: LlamaGuardError): Decision => decideError('output', error, POLICY, 'fake')
const context = (more: Partial<RefusalContext> = {}): RefusalContext => ({
  dialect: openaiChat,
  requestId: 'r',
  settings: {},
  ...more,
})
const request = (url: string): GuardedRequest => ({ url, headers: {} }) as unknown as GuardedRequest
const errorOf = (decision: Decision, more: Partial<RefusalContext> = {}): Record<string, unknown> =>
  (JSON.parse(String(refusalOf(decision, context(more)).body)) as { error: Record<string, unknown> }).error

describe('An error says', () => {
  it('all of its fields in the plain envelope too, and no field that has no value', () => {
    const plain = { dialect: plainDialect }
    expect(errorOf(blocked('input'), plain)).toEqual({
      message: 'Blocked by the content policy: Criminal Planning (O3).',
      type: 'content_policy_violation',
      code: 'content_filter',
      param: 'messages',
      stage: 'input',
      categories: [{ code: 'O3', name: 'Criminal Planning' }],
      request_id: 'r',
    })
    const scored = { ...blocked('output'), outcome: { state: 'unsafe', score: 0.5 }, categories: [] } as const
    expect(errorOf(scored, plain)).not.toHaveProperty('score')
    expect(errorOf(scored, { ...plain, settings: { expose: 'full' } })).toMatchObject({
      score: 0.5,
      model: 'fake',
      param: 'choices',
      message: 'Blocked by the content policy.',
    })
    expect(errorOf(failed(new LlamaGuardError('guard_error')), plain)).not.toHaveProperty('categories')
  })

  it('nothing of the verdict with `expose: none`', () => {
    const settings = { expose: 'none', policyUrl: 'https://example.org/policy' } as const
    for (const dialect of [openaiChat, plainDialect])
      expect(errorOf(blocked('output'), { dialect, settings })).toEqual({
        message: 'Blocked by the content policy.',
        type: 'content_policy_violation',
        code: 'content_filter',
        param: null,
        request_id: 'r',
      })
    const { headers } = refusalOf(blocked('output'), context({ settings }))
    expect(headers).not.toHaveProperty('llama-guard')
    expect(errorOf(failed(new LlamaGuardError('guard_throttled')), { settings })['code']).toBe('guard_unavailable')
    expect(errorOf(failed(new LlamaGuardError('invalid_json')), { settings })['code']).toBe('invalid_json')
  })

  it('the same in the plain envelope where the dialect gives none', () => {
    const silent = { refusal: () => undefined }
    const throwing = {
      refusal: () => {
        throw new Error('UNSAFE')
      },
    }
    for (const dialect of [silent, throwing])
      expect(errorOf(blocked('input'), { dialect })).toMatchObject({ code: 'content_filter', param: 'messages' })
    expect(errorOf(blocked('input'), { dialect: { refusal: () => ({ error: { own: true } }) } })).toEqual({ own: true })
  })

  it('every category of a block, or the operator’s own words in place of them', () => {
    const both = { ...blocked('input'), categories: [...CATEGORIES, { id: 'O1', name: 'Violence' }] }
    const categories = both.categories.map(({ id, name }) => ({ code: id, name }))
    const decision = { ...both, categories } as Decision
    expect(errorOf(decision)['message']).toBe('Blocked by the content policy: Criminal Planning (O3), Violence (O1).')
    const settings = { refusalText: 'Not here.' }
    expect(errorOf(decision, { settings })['message']).toBe('Not here.')
    expect(errorOf(failed(new LlamaGuardError('guard_error')), { settings })['message']).not.toBe('Not here.')
  })

  it.each<[ErrorCode, string]>([
    ['guard_timeout', 'guard_unavailable'],
    ['upstream_unavailable', 'server_error'],
    ['invalid_json', 'invalid_request_error'],
  ])('with %s that it is a %s', (code, type) => {
    expect(errorOf(failed(new LlamaGuardError(code)))).toMatchObject({ type, code })
  })

  it('nothing that the error of a guard says, and all that helps a client to correct its request', () => {
    const quoting = failed(new LlamaGuardError('guard_error', 'It said UNSAFE words.', { retryAfter: 7 }))
    const refusal = refusalOf(quoting, context())
    expect([refusal.status, refusal.headers['retry-after'], refusal.body.includes('UNSAFE')]).toEqual([503, '7', false])
    const long = new LlamaGuardError('guard_input_too_long', 'UNSAFE words are too long.', { clientFault: true })
    expect([publicError(long).message.includes('UNSAFE'), publicError(long).status]).toEqual([false, 413])
    const fault = new LlamaGuardError('invalid_json', 'Line 1 ends too soon.')
    expect(errorOf(failed(fault))['message']).toBe('Line 1 ends too soon.')
  })

  it('the verdicts of both stages when the reply is refused, and that of the request alone when the request is', () => {
    const headers = (decision: Decision, input?: Decision): string | undefined =>
      refusalOf(decision, context({ input })).headers['llama-guard'] as string | undefined
    expect(headers(blocked('output'), safe('input'))).toBe('input=safe, output=unsafe;cat="O3"')
    expect(headers(blocked('input'), blocked('input'))).toBe('input=unsafe;cat="O3"')
    const settings = { expose: 'full' } as const
    expect(refusalOf(blocked('output'), context({ input: safe('input'), settings })).headers['server-timing']).toBe(
      'guard-input;dur=1.0, guard-output;dur=1.0',
    )
  })

  it('where the policy stands, of a block alone', () => {
    const settings = { policyUrl: 'https://x.test/policy' }
    expect(refusalOf(blocked('input'), context({ settings })).headers['link']).toBe(
      '<https://x.test/policy>; rel="blocked-by"',
    )
    expect(refusalOf(failed(new LlamaGuardError('guard_error')), context({ settings })).headers).not.toHaveProperty(
      'link',
    )
  })
})

describe('The operator’s own words', () => {
  const OURS = 'Blocked by the content policy: Criminal Planning (O3).'
  it.each<[string, unknown, string]>([
    ['words', 'Not here.', 'Not here.'],
    ['a blank', ' ', ' '],
    ['no words', '', OURS],
    ['nothing', undefined, OURS],
    ['an object', { en: 'Not here.' }, OURS],
    ['a promise of words', Promise.resolve('Not here.'), OURS],
  ])('come from a function, which may return %s', (_what, returned, message) => {
    const settings = { refusalText: () => returned as string }
    expect(errorOf(blocked('input'), { settings, req: request('/chat') })['message']).toBe(message)
    const { body } = refusalOf(
      blocked('input'),
      context({ settings: { ...settings, onBlock: 'refusal' }, req: request('/chat'), asked: { stream: false } }),
    )
    const { choices } = JSON.parse(String(body)) as { choices: { message: { content: unknown } }[] }
    expect(choices[0]!.message.content).toBe(message === OURS ? DEFAULT_REFUSAL : message)
  })

  it('are ours when its function throws', () => {
    const settings = {
      refusalText: () => {
        throw new Error('UNSAFE')
      },
    }
    expect(errorOf(blocked('input'), { settings, req: request('/chat') })['message']).toBe(OURS)
  })
})

describe('A reply that declines', () => {
  const settings = { onBlock: 'refusal', refusalText: 'No.' } as const
  const declined = (more: Partial<RefusalContext>): ReturnType<typeof refusalOf> =>
    refusalOf(blocked('input'), context({ settings, ...more }))

  it.each<[string, Partial<RefusalContext>, string, RegExp]>([
    ['whole', { asked: { stream: false } }, 'application/json', /^\{"id"/],
    ['a stream of events', { asked: { stream: true } }, 'text/event-stream', /^data: .*\[DONE\]\n\n$/s],
    ['a stream of lines', { dialect: ollamaChat, asked: { stream: true } }, 'application/x-ndjson', /^\{.*\}\n$/],
    [
      'an array of Google’s',
      { dialect: geminiStreaming, asked: { stream: true }, req: request('/m:streamGenerateContent') },
      'application/json',
      /^\[\{.*\}\]$/,
    ],
    ...['?alt=sse', '?key=k&alt=sse', '?$alt=sse', '?%24alt=sse&key=k'].map(
      (query): [string, Partial<RefusalContext>, string, RegExp] => [
        `events of Google’s (${query})`,
        { dialect: geminiStreaming, asked: { stream: true }, req: request(`/m:streamGenerateContent${query}`) },
        'text/event-stream',
        /^data: /,
      ],
    ),
  ])('is %s where the client asked for it', (_form, more, type, body) => {
    const refusal = declined(more)
    expect([refusal.status, refusal.headers['content-type']]).toEqual([200, type])
    expect(refusal.body).toMatch(body)
    expect(refusal.body).toContain('No.')
  })

  it('is told whether the client asked for a stream', () => {
    const seen: unknown[] = []
    const dialect = customDialect({
      name: 'asks',
      framing: 'sse',
      request: () => ({}),
      decline: (told) => {
        seen.push(told)
        return { no: true }
      },
    })
    expect(declined({ dialect, asked: { stream: false, model: 'm' } }).body).toBe('{"no":true}')
    expect(seen).toMatchObject([{ words: 'No.', model: 'm', stream: false }])
  })

  it('never stands for what could not be judged, or for a request that was not read', () => {
    const error = failed(new LlamaGuardError('guard_error'))
    expect(refusalOf(error, context({ settings, asked: { stream: false } })).status).toBe(503)
    expect(declined({}).status).toBe(451)
  })
})
