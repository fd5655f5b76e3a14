// The estimate of tokens beside the real tokenizers: never below, and close on what people and models write.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import llama2 from 'llama-tokenizer-js'
import llama3 from 'llama3-tokenizer-js'
import { describe, expect, it } from 'vitest'
import { createPrompter } from '../../../src/guard/prompt/index.js'
import { anyTokens, MOST_PER_BYTE, sizeOf, type TokenCounter } from '../../../src/guard/prompt/tokens/counter.js'
import { llama2Tokens } from '../../../src/guard/prompt/tokens/llama-2.js'
import { llama3Tokens } from '../../../src/guard/prompt/tokens/llama-3.js'
import { ORDINARY, OTHER } from './samples.js'
import { rounds } from '../../helpers/sampled.js'

type Real = (text: string) => number
const MODELS: readonly (readonly [string, TokenCounter, Real])[] = [
  ['Llama 2', llama2Tokens, (text) => llama2.encode(text, false, false).length],
  ['Llama 3', llama3Tokens, (text) => llama3.encode(text, { bos: false, eos: false }).length],
]
const named = (texts: Readonly<Record<string, string>>): { name: string; text: string }[] =>
  Object.entries(texts).map(([name, text]) => ({ name, text }))

/** Alphabets in which a hostile text may be written, one or several at a time. */
const ALPHABETS = [
  'abcdefghijklmnopqrstuvwxyz',
  'xqzjkvw',
  ' \n\t',
  '\r\n \u00a0\u3000\u2581\v',
  '()[]{};:.,<>/?!@#$%^&*-_=+|~`"',
  "'sStTreREvVlLdDmM",
  '0123456789',
  '  a',
  'aA0+/=',
  '-=*_#',
  '\u0000\u0001\u007f\u0080\ufffd',
  '\u4e2d\u6587\u7684\u6c2e\u65e5\u3042\u3044\u3002\uff0c',
  '\u0e01\u0e34\u0e19\u0e02\u0e49\u0e32',
  '\u0915\u0916\u093e\u093f\u094d',
  '\u0627\u0628\u062a\u062b\u064e\u060c',
  '\u0430\u0431\u0432\u0491\u00e9\u00fc\u00df',
  '\u0301\u0302a\u0327',
  '\u{1F600}\u{1F44D}\u{1F3FD}\u200d\ufe0f\u2764\u{1F1E9}',
  '\u{10FFFF}\u{E000}\u{20000}',
]
const hostile = fc
  .array(fc.constantFrom(...ALPHABETS), { minLength: 1, maxLength: 3 })
  .chain((alphabets) => fc.array(fc.constantFrom(...Array.from(alphabets.join(''))), { minLength: 1, maxLength: 200 }))
  .map((characters) => characters.join(''))
const RUNS = [
  'a',
  ' ',
  '\n',
  '\t',
  '-',
  '=',
  '.',
  '0',
  '\u4e2d',
  '\u{1F600}',
  '\u0301',
  '\r\n',
  ' a',
  'ab',
  '<|',
  'QUJD',
]

describe.each(MODELS)('the count for the tokenizer of %s', (_, counter, real) => {
  it.each(named(ORDINARY))('is at most 2 % over on $name, and never under', ({ text }) => {
    const ratio = counter.count(text) / real(text)
    expect(ratio).toBeGreaterThanOrEqual(1)
    expect(ratio).toBeLessThanOrEqual(1.02)
  })

  it.each(['cs', 'de', 'es', 'fr', 'it', 'ja', 'ko', 'pl', 'pt-br', 'ru', 'tr', 'zh-cn', 'zh-tw'])(
    'is at most 2 %% over on %s, and never under',
    (language) => {
      const file = `node_modules/typescript/lib/${language}/diagnosticMessages.generated.json`
      const text = Object.values(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>)
        .slice(0, 150)
        .join('\n')
      const ratio = counter.count(text) / real(text)
      expect(ratio).toBeGreaterThanOrEqual(1)
      expect(ratio).toBeLessThanOrEqual(1.02)
    },
  )

  it.each(named(OTHER))('is never under on $name', ({ text }) => {
    expect(counter.count(text)).toBeGreaterThanOrEqual(real(text))
  })

  it('is never under on runs of one kind, short and long', () => {
    for (const unit of RUNS)
      for (const length of [1, 2, 3, 23, 24, 25, 40, 41, 63, 64, 65, 129, 1000])
        for (const text of [unit.repeat(length), `x${unit.repeat(length)} y`])
          expect([unit, length, counter.count(text) >= real(text)]).toEqual([unit, length, true])
  })

  it('is never under on hostile strings', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(counter.count(text)).toBeGreaterThanOrEqual(real(text))
      }),
      { numRuns: rounds(1000) },
    )
  })

  it('is cut within the budget, between characters, and moves on', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 60 }), (text, budget) => {
        for (let start = 0; start < text.length;) {
          const { end, tokens } = counter.reach(text, start, budget)
          expect(end).toBeGreaterThan(start)
          expect(tokens).toBeLessThanOrEqual(budget)
          expect(text.slice(start, end).isWellFormed()).toBe(true)
          // A single character may take more tokens than a tiny budget.
          if (budget >= 4) expect(real(text.slice(start, end))).toBeLessThanOrEqual(budget)
          start = end
        }
      }),
      { numRuns: rounds(300) },
    )
  })

  it('takes time that is linear in the text, whatever its letters', () => {
    const timeOf = (text: string): number => {
      const before = process.cpuUsage()
      counter.count(text)
      return process.cpuUsage(before).user / 1000
    }
    for (const unit of ['a', ' ', 'xqzjkvwp ', '\u4e2d\u6c2e\u65e5', '\u0e01\u0e34', '-', '\n'])
      expect(timeOf(unit.repeat(200_000 / unit.length))).toBeLessThan(200)
  })
})

describe('a conversation that is cut for a model', () => {
  const { english, python, chinese, emoji } = ORDINARY
  it.each(['llama-guard-1', 'llama-guard-2', 'llama-guard-3-1b'] as const)('fits %s, prompt and all', (model) => {
    const prompter = createPrompter(model)
    const context = Math.min(prompter.contextTokens, 4096)
    const real = (text: string): number =>
      (model === 'llama-guard-1' ? llama2.encode(text) : llama3.encode(text)).length
    for (const text of [english, python, chinese, emoji, OTHER.russian]) {
      const past = [
        { role: 'User', text: text.slice(0, 700) },
        { role: 'Agent', text },
        { role: 'User', text: 'And?' },
      ] as const
      const long = text.repeat(Math.ceil(15_000 / text.length))
      const [first] = prompter.fit([...past, { role: 'Agent', text: long }], context)
      expect(real(prompter.render(first!)) + 32).toBeLessThanOrEqual(context)
    }
  })
})

it('A character takes as many bytes as in UTF-8.', () => {
  for (const code of [0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000])
    expect(sizeOf(code)).toBe(Buffer.byteLength(String.fromCodePoint(code)))
})

it('Without a vocabulary, tokens are estimated by the kind of each character and of the one before it.', () => {
  for (const [text, tokens] of [
    ['', 0],
    ['a', 0.7],
    ['ab', 0.7 + 0.46],
    ['AB', 0.8 + 0.8],
    ['0a', MOST_PER_BYTE + 0.46],
    ['9a', MOST_PER_BYTE + 0.46],
    ['/a', MOST_PER_BYTE + 0.7],
    [' a', 1 + 0.7],
    ['a b', 0.7 + 0.34 + 0.7],
    ['a  b', 0.7 + 0.34 + 0.5 + 0.7],
  ] as const) {
    expect(anyTokens.reach(text, 0, Infinity).tokens).toBeCloseTo(tokens, 9)
    expect(anyTokens.count(text)).toBe(Math.ceil(tokens))
  }
})

it('The first and the last letter of the alphabet cost as much as those between.', () => {
  for (const [first, middle, last] of [Array.from('amz'), Array.from('AMZ')])
    for (const length of [2, 10, 30])
      for (const letter of [first!, last!])
        expect(anyTokens.count(` ${letter.repeat(length)} `)).toBe(anyTokens.count(` ${middle!.repeat(length)} `))
})
