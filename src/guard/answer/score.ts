// Computes the probability of "unsafe" from token log probabilities. A threshold is compared with it. The model cards
// define the score on the first token that decides between the words, which is not always the first token of the
// answer.
import type { Completion, TokenLogprob } from './completion.js'

type Tokens = NonNullable<Completion['tokens']>

/**
 * The words a model decides between, in lower case. No prefix of a word in one list is a prefix of a word in the
 * other.
 */
export interface DecidingWords {
  readonly safe: readonly string[]
  readonly unsafe: readonly string[]
}

/** The words of Llama Guard. */
const SAFE_UNSAFE: DecidingWords = { safe: ['safe'], unsafe: ['unsafe'] }

/**
 * The probability of unsafe, 0 to 1. Undefined when the tokens carry no alternatives that tell, or spell another word
 * than the text.
 * With alternatives the score is p(unsafe) / (p(unsafe) + p(safe)), so that 0.5 agrees with greedy decoding. Without
 * alternatives it is the probability of the chosen word, or one minus that, but at least .5 for unsafe and at most .5
 * for safe: the remaining probability may belong to other words, and a threshold must never rank a "safe" above an
 * "unsafe".
 * A tokenizer without the word "unsafe" (Llama Guard 1 writes `un`, `safe`) decides at `un`. The probabilities of all
 * tokens of the word are multiplied.
 */
export function scoreOf(tokens: Tokens, said: string, words: DecidingWords = SAFE_UNSAFE): number | undefined {
  const from = tokens.findIndex((token) => bare(token.text) !== '')
  const first = tokens[from]
  const chosen = first && wholeWord(tokens.slice(from), said)
  if (first === undefined || chosen === undefined) return undefined
  const [same, others] = words.safe.includes(said) ? [words.safe, words.unsafe] : [words.unsafe, words.safe]
  const side =
    chosen +
    (weigh(
      first.top ?? [],
      same.filter((word) => word !== said),
    ) ?? 0)
  const other = weigh(first.top ?? [], others)
  const share = other === undefined ? Math.min(1, Math.max(0.5, side)) : side / (side + other)
  if (!Number.isFinite(share)) return undefined
  return words.unsafe.includes(said) ? share : 1 - share
}

/** The joint probability of the tokens that spell the word; undefined when they spell something else. */
function wholeWord(tokens: Tokens, word: string): number | undefined {
  let spelt = ''
  let logprob = 0
  for (const token of tokens) {
    if (!isLogprob(token.logprob)) return undefined
    spelt += spelt === '' ? token.text.replace(BLANK_START, '') : token.text
    logprob += Math.min(0, token.logprob)
    if (bare(spelt) === word) return Math.exp(logprob)
  }
  return undefined
}

/**
 * The summed probability of the alternatives that begin one of the words. Several can stand side by side, for example
 * ` unsafe`, `unsafe` and `un`.
 */
function weigh(top: readonly TokenLogprob[], words: readonly string[]): number | undefined {
  const leading = top.filter((token) => leadsTo(token, words) && isLogprob(token.logprob))
  return leading.length === 0
    ? undefined
    : leading.reduce((sum, token) => sum + Math.exp(Math.min(0, token.logprob)), 0)
}

/** True when the token is one of the words, or the beginning of one. */
function leadsTo({ text }: TokenLogprob, words: readonly string[]): boolean {
  const start = bare(text)
  return start !== '' && words.some((word) => word.startsWith(start))
}

/** Sentencepiece writes a space as U+2581. Byte-level BPE writes a space as U+0120 and a line break as U+010A. */
const BLANK_START = /^[\s\u2581\u0120\u010a]+/
const BLANK_END = /(?<![\s\u2581\u0120\u010a])[\s\u2581\u0120\u010a]+$/

function bare(text: string): string {
  return text.replace(BLANK_START, '').replace(BLANK_END, '').toLowerCase()
}

/** Some servers round a log probability to slightly more than zero. A clearly positive value is no log probability. */
function isLogprob(value: number): boolean {
  return Number.isFinite(value) && value <= 1e-3
}
