// Merging takes longer than counting, so words of more characters than any language has are counted as they are spelt.
import { expect, it } from 'vitest'
import { llama2Tokens } from '../../../src/guard/prompt/tokens/llama-2.js'
import { llama3Tokens } from '../../../src/guard/prompt/tokens/llama-3.js'

const COUNTERS = { 'Llama 2': llama2Tokens, 'Llama 3': llama3Tokens }
const LETTERS = { Latin: 'international', Cyrillic: '\u043f\u0440\u0438\u0432\u0435\u0442' }

const word = (letters: string, length: number): string => letters.repeat(length).slice(0, length)

it.each([
  { model: 'Llama 2', script: 'Latin', longest: 40, spelt: 41 },
  { model: 'Llama 2', script: 'Cyrillic', longest: 40, spelt: 41 },
  { model: 'Llama 3', script: 'Latin', longest: 40, spelt: 41 },
] as const)(
  'For $model a word of $longest $script letters is merged, and a longer one counts $spelt tokens.',
  ({ model, script, longest, spelt }) => {
    const count = (length: number): number => COUNTERS[model].count(word(LETTERS[script], length))
    expect(count(longest)).toBeLessThan(longest)
    expect(count(longest + 1)).toBe(spelt)
  },
)
