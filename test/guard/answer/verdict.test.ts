// The verdict parser against everything a Llama Guard model was seen to answer, and against what it must never believe.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCompletion } from '../../../src/guard/answer/completion.js'
import type { Completion } from '../../../src/guard/answer/completion.js'
import { parseVerdict } from '../../../src/guard/answer/verdict.js'
import { decide } from '../../../src/policy.js'
import { rounds } from '../../helpers/sampled.js'

const CATEGORIES = ['S1', 'S2', 'S9', 'S10', 'S14', 'O3', 's20'].map((id) => ({ id, name: `Hazard ${id}` }))
const parse = (text: string, finishReason?: string) =>
  parseVerdict({ text, ...(finishReason !== undefined && { finishReason }) }, CATEGORIES)
const unparseable = expect.objectContaining({ code: 'unparseable_verdict', status: 503, retryable: false }) as Error

interface Case {
  raw: string
  verdict: 'safe' | 'unsafe' | 'invalid'
  categories: string[]
  unknown?: string[]
}
const { cases } = JSON.parse(readFileSync(new URL('../../fixtures/output_cases.json', import.meta.url), 'utf8')) as {
  cases: Case[]
}

describe('A verdict', () => {
  it.each(cases)('is read from $raw as $verdict.', ({ raw, verdict, categories, unknown }) => {
    if (verdict === 'invalid') expect(() => parse(raw)).toThrow(unparseable)
    else expect(parse(raw)).toEqual({ safe: verdict === 'safe', categories, ...(unknown && { unknown }) })
  })

  it.each(['eos_token', 'stop_sequence', 'stop', 'eos', undefined])(
    'is safe when generation ended with %s.',
    (reason) => {
      expect(parse('\n\nsafe', reason)).toEqual({ safe: true, categories: [] })
    },
  )

  it.each(['length', 'max_tokens', 'error', 'abort', 'content_filter', 'tool_calls', ''])(
    'is never safe when generation ended with "%s".',
    (reason) => {
      expect(() => parse('safe', reason)).toThrow(unparseable)
    },
  )

  it.each([
    ['unsafe', []],
    ['unsafe\n', []],
    ['unsafe\nS', []],
    ['unsafe\nS1', ['S1']],
    ['unsafe\nS1,', ['S1']],
    ['unsafe\nS9,S', ['S9']],
    ['unsafe\nS9, ', ['S9']],
  ])('is unsafe but truncated when the token limit cut %j.', (text, categories) => {
    expect(parse(text, 'length')).toEqual({ safe: false, categories, truncated: true })
  })

  it('keeps unknown codes apart and stays unsafe.', () => {
    expect(parse('unsafe\nS9,S77,s10,S9')).toEqual({ safe: false, categories: ['S9', 'S10'], unknown: ['S77'] })
  })

  it("gives codes in the policy's own spelling.", () => {
    expect(parse('unsafe\nS20')).toEqual({ safe: false, categories: ['s20'] })
  })

  it.each(['safe</s>', 'safe<|end_of_text|>', ' safe<|eot_id|><|end_of_text|>\n', 'unsafe\r\nS1<|eot|>'])(
    'may be followed by special tokens: %j.',
    (text) => {
      expect(parse(text).safe).toBe(text.includes('unsafe') ? false : true)
    },
  )

  it.each([
    'Safe',
    'safe.',
    '"safe"',
    'safe safe',
    'safe\nunsafe',
    'is safe',
    'safe<|eot_id|>S1',
    '\u00a0safe',
    'safe\u200b',
    '\ufeffsafe',
    's afe',
    'safely',
    '```safe```',
    'safe, ',
    '<|eot_id|>safe',
    'safe<|python_tag|>',
    `safe${' '.repeat(2000)}`,
    'x'.repeat(100_000),
    ' '.repeat(500_000),
  ])('is not in %j.', (text) => {
    expect(() => parse(text)).toThrow(unparseable)
  })

  it.each([
    'unsafe safe',
    'unsafe\nS1\nsafe',
    'unsafe S1 because',
    'unsafe.',
    'UNSAFE: S9',
    'unsafeS9',
    'unsafe<|python_tag|>',
    'unsafe\n```',
    'unsafe\u200b',
    '\u00a0\ufeffunsafe\nS1',
    '\n\nunsafe\n\nThe last message asks for a bomb.',
    `unsafe\n${'S1,'.repeat(1000)}`,
    `unsafe ${'x'.repeat(100_000)}`,
  ])('is unsafe beyond doubt in the off-format answer %j, which begins with the word.', (text) => {
    for (const finishReason of [undefined, 'stop', 'length', 'error'])
      expect(parse(text, finishReason)).toEqual({ safe: false, categories: [], truncated: true, score: 1 })
  })

  it.each(['unsafely', 'unsafety first', 'unsafe\u0301', 'unsafest', '"unsafe"', 'not unsafe', 'un safe', 'is unsafe'])(
    'is not in %j, which does not begin with the word unsafe.',
    (text) => {
      expect(() => parse(text)).toThrow(unparseable)
    },
  )

  it.each([
    [{}],
    [{ onError: 'open' }],
    [{ onError: 'open', threshold: 0.999 }],
    [{ onError: 'open', categoryThresholds: { S1: 1 }, actions: { S1: 'ignore' } }],
  ] as const)('that begins with unsafe and is otherwise off format blocks under %j.', (policy) => {
    const settings = { mode: 'enforce', onError: 'closed', ...policy } as const
    const verdict = parse('unsafe S1 because')
    expect(decide('input', [{ verdict, ms: 0, model: 'x' }], settings, CATEGORIES)).toMatchObject({ action: 'block' })
  })

  it('is never safe for a random text outside the grammar.', () => {
    const grammar = /^[ \t\r\n]*safe(?:<\|(?:eot_id|eot|eom_id|eom|end_of_text)\|>|<\/s>|[ \t\r\n])*$/
    const piece = fc.oneof(
      fc.constantFrom(
        'safe',
        'unsafe',
        'un',
        '\n',
        ' ',
        'S1',
        'O3',
        ',',
        '<|eot_id|>',
        '</s>',
        "First line must read 'safe' or 'unsafe'.",
      ),
      fc.string({ unit: 'binary' }),
    )
    const reason = fc.option(fc.oneof(fc.constantFrom('stop', 'eos_token', 'length', 'error'), fc.string()), {
      nil: undefined,
    })
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), reason, (pieces, finishReason) => {
        const text = pieces.join('')
        let safe = false
        try {
          safe = parse(text, finishReason).safe
        } catch (error) {
          expect(error).toEqual(unparseable)
        }
        const whole = finishReason === undefined || ['stop', 'eos_token', 'stop_sequence', 'eos'].includes(finishReason)
        expect(safe).toBe(whole && grammar.test(text))
      }),
      { numRuns: rounds(3000) },
    )
  })

  it('says nothing of an answer it cannot read, which may echo the conversation.', () => {
    const planted = 'PLANTED-CHAT-TEXT'
    for (const finishReason of ['stop', planted]) {
      try {
        parse(`${planted} safe`, finishReason)
        expect.unreachable()
      } catch (error) {
        expect(String((error as Error).stack) + JSON.stringify(error)).not.toContain(planted)
      }
    }
  })
})

describe('The score of a verdict', () => {
  const score = (text: string, tokens: Completion['tokens']) => parseVerdict({ text, tokens }, CATEGORIES).score
  const ln = Math.log

  it('comes from the first token that decides, not from the blank ones before it.', () => {
    expect(
      score('\n\nunsafe\nS9', [
        { text: '\n\n', logprob: -3 },
        { text: 'unsafe', logprob: ln(0.9) },
        { text: '\n', logprob: 0 },
      ]),
    ).toBeCloseTo(0.9, 10)
    expect(
      score('\n\nsafe', [
        { text: '\n\n', logprob: -3 },
        { text: 'safe', logprob: ln(0.9) },
      ]),
    ).toBeCloseTo(0.1, 10)
    expect(score('safe', [{ text: '\u2581safe', logprob: ln(0.75) }])).toBeCloseTo(0.25, 10)
    expect(
      score('safe', [
        { text: '\u010a\u010a', logprob: 0 },
        { text: '\u0120safe', logprob: ln(0.75) },
      ]),
    ).toBeCloseTo(0.25, 10)
  })

  it('weighs the two words against each other when the alternatives are known.', () => {
    const top = [
      { text: 'unsafe', logprob: ln(0.45) },
      { text: 'safe', logprob: ln(0.15) },
      { text: 'The', logprob: ln(0.4) },
    ]
    expect(score('unsafe', [{ text: 'unsafe', logprob: ln(0.45), top }])).toBeCloseTo(0.75, 10)
    const other = [
      { text: 'safe', logprob: ln(0.6) },
      { text: ' unsafe', logprob: ln(0.1) },
      { text: 'unsafe', logprob: ln(0.1) },
    ]
    expect(score('safe', [{ text: 'safe', logprob: ln(0.6), top: other }])).toBeCloseTo(0.25, 10)
  })

  it('reads a tokenizer that writes "unsafe" as two tokens, whose second is "safe".', () => {
    expect(
      score(' unsafe\nO3', [
        { text: ' ', logprob: 0 },
        { text: 'un', logprob: ln(0.8) },
        { text: 'safe', logprob: ln(0.9) },
      ]),
    ).toBeCloseTo(0.72, 10)
    const top = [
      { text: '\u2581un', logprob: ln(0.8) },
      { text: '\u2581safe', logprob: ln(0.2) },
    ]
    expect(
      score('unsafe', [
        { text: '\u2581un', logprob: ln(0.8), top },
        { text: 'safe', logprob: 0 },
      ]),
    ).toBeCloseTo(0.8, 10)
    expect(
      score('unsafe', [
        { text: 'uns', logprob: ln(0.8) },
        { text: 'afe', logprob: 0 },
      ]),
    ).toBeCloseTo(0.8, 10)
    expect(
      score('safe', [{ text: '\u2581safe', logprob: ln(0.9), top: [{ text: '\u2581un', logprob: ln(0.1) }] }]),
    ).toBeCloseTo(0.1, 10)
  })

  it('never ranks a safe answer above an unsafe one when the alternatives are unknown.', () => {
    for (const probability of [0, 0.01, 0.3, 0.5, 0.51, 0.99, 1]) {
      const unsafe = score('unsafe', [{ text: 'unsafe', logprob: ln(probability) }])
      const safe = score('safe', [{ text: 'safe', logprob: ln(probability) }])
      if (probability === 0) expect([safe, unsafe]).toEqual([undefined, undefined])
      else {
        expect(unsafe).toBeCloseTo(Math.max(0.5, probability), 10)
        expect(safe).toBeCloseTo(Math.min(0.5, 1 - probability), 10)
      }
    }
    // A list of alternatives without the other word is no knowledge of it.
    const top = [{ text: 'The', logprob: ln(0.7) }]
    expect(score('unsafe', [{ text: 'unsafe', logprob: ln(0.3), top }])).toBe(0.5)
  })

  it.each([
    ['no tokens', []],
    ['only blanks', [{ text: '\n\n', logprob: 0 }]],
    ['another word than the text', [{ text: 'unsafe', logprob: -0.1 }]],
    [
      'a word that is neither',
      [
        { text: 'The', logprob: -0.1 },
        { text: 'safe', logprob: -0.1 },
      ],
    ],
    [
      'a word that only ends like it',
      [
        { text: 'un', logprob: -0.1 },
        { text: 'safe', logprob: -0.1 },
      ],
    ],
    [
      'a word that only begins like it',
      [
        { text: 'sa', logprob: -0.1 },
        { text: 'ved', logprob: -0.1 },
      ],
    ],
    ['half a word', [{ text: 'sa', logprob: -0.1 }]],
    ['a positive logarithm', [{ text: 'safe', logprob: 3 }]],
    ['no number', [{ text: 'safe', logprob: Number.NaN }]],
    ['no probability at all', [{ text: 'safe', logprob: Number.NEGATIVE_INFINITY }]],
  ])('is absent for %s: a guessed score would decide.', (_, tokens) => {
    expect(score('safe', tokens)).toBeUndefined()
  })

  it('is a probability whatever the logarithms are.', () => {
    const token = fc.record({
      text: fc.constantFrom('safe', 'unsafe', 'un', 'sa', 'fe', ' ', '\n\n', 'The'),
      logprob: fc.oneof(fc.double({ max: 0 }), fc.double()),
    })
    fc.assert(
      fc.property(
        fc.constantFrom('safe', 'unsafe'),
        fc.array(fc.record({ text: token.map((one) => one.text), logprob: fc.double(), top: fc.array(token) })),
        (text, tokens) => {
          const value = score(text, tokens)
          expect(value === undefined || (value >= 0 && value <= 1)).toBe(true)
        },
      ),
    )
  })
})

describe('A completion', () => {
  const payloads = JSON.parse(readFileSync(new URL('../../fixtures/payloads.json', import.meta.url), 'utf8')) as Record<
    string,
    unknown
  >

  it.each([
    ['tgi_generate_response', { safe: false, categories: ['S9'], score: Math.exp(-0.02), tokens: { output: 5 } }],
    ['lmi_0_29_response', { safe: true, categories: [], tokens: { output: 3 } }],
    ['lmi_tgi_compat_response', { safe: true, categories: [] }],
    ['openai_chat_response', { safe: false, categories: ['S9'], tokens: { input: 33, output: 5 } }],
  ])('is read from the documented %s.', (name, verdict) => {
    expect(parseVerdict(readCompletion(payloads[name]), CATEGORIES)).toEqual(verdict)
  })

  it('has the logarithms of text completions, alternatives included.', () => {
    const logprobs = {
      tokens: ['\n\n', 'safe'],
      token_logprobs: [-0.1, Math.log(0.6)],
      top_logprobs: [{ '\n\n': -0.1 }, { safe: Math.log(0.6), unsafe: Math.log(0.2) }],
    }
    const read = readCompletion({
      choices: [{ text: '\n\nsafe', finish_reason: 'stop', logprobs }],
      usage: { prompt_tokens: 9, completion_tokens: 2 },
    })
    expect(parseVerdict(read, CATEGORIES)).toEqual({
      safe: true,
      categories: [],
      score: expect.closeTo(0.25, 10) as number,
      tokens: { input: 9, output: 2 },
    })
  })

  it('has no logarithms when one of them is missing: the others would be taken for those of other tokens.', () => {
    const logprobs = { tokens: ['\n\n', 'safe'], token_logprobs: [null, -0.1] }
    expect(readCompletion({ choices: [{ text: 'safe', logprobs }] }).tokens).toBeUndefined()
  })

  it('takes the id of a stop token for an end, as current LMI gives it.', () => {
    expect(readCompletion({ generated_text: 'safe', details: { finish_reason: 128_009 } })).toEqual({
      text: 'safe',
      finishReason: 'stop',
    })
  })

  it('is without its special tokens, whichever container marks them.', () => {
    for (const mark of ['special', 'special_token']) {
      const tokens = [
        { text: 'safe', logprob: -0.1 },
        { text: '</s>', logprob: 0, [mark]: true },
      ]
      const details = { finish_reason: 'eos_token', tokens }
      expect(readCompletion({ generated_text: 'safe', details }).tokens).toEqual([{ text: 'safe', logprob: -0.1 }])
    }
  })

  it.each([true, ['stop'], { reason: 'stop' }])('is never a whole one when its finish reason is %j.', (reason) => {
    const completion = readCompletion({ generated_text: 'safe', details: { finish_reason: reason } })
    expect(() => parseVerdict(completion, CATEGORIES)).toThrow(unparseable)
  })

  it('has no tokens rather than some of them when one is unreadable.', () => {
    const tokens = [{ text: '\n\n' }, { text: 'safe', logprob: -0.1 }]
    expect(readCompletion([{ generated_text: 'safe', details: { finish_reason: 'eos_token', tokens } }])).toEqual({
      text: 'safe',
      finishReason: 'eos_token',
    })
  })

  it.each([
    null,
    'safe',
    ['safe'],
    [{}, {}],
    { choices: [] },
    { choices: ['safe'] },
    { choices: [{ text: 7 }] },
    { choices: [{ text: 'safe' }, { text: 'safe' }] },
    [[{ generated_text: 'safe' }]],
    { generated_text: 'unsafe', choices: [{ text: 'safe' }] },
    { generated_text: 'safe', choices: [] },
  ])('is not in %j.', (body) => {
    expect(() => readCompletion(body)).toThrow(expect.objectContaining({ code: 'guard_error' }) as Error)
  })

  it('is not in an error, even one with a text beside it.', () => {
    expect(() => readCompletion({ generated_text: 'safe', error: 'CUDA out of memory', code: 503 })).toThrow(
      expect.objectContaining({ code: 'guard_unavailable', retryable: true }) as Error,
    )
  })

  it('of any JSON is a completion or one of our errors.', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        try {
          expect(typeof readCompletion(body).text).toBe('string')
        } catch (error) {
          expect(error).toMatchObject({ name: 'LlamaGuardError' })
        }
      }),
    )
  })
})
