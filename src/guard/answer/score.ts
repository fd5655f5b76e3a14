// The probability of "unsafe" behind the model's word, from token log probabilities: what a threshold is compared with.
// Model cards define it on the first token that decides between the words, which is not always the first token.
import type { Completion, TokenLogprob } from './completion.js'

type Tokens = NonNullable<Completion['tokens']>

/** The words a model decides between, in lower case. No beginning of one is a beginning of another. */
export interface DecidingWords {
  readonly safe: readonly string[]
  readonly unsafe: readonly string[]
}

/** Llama Guard's. */
const SAFE_UNSAFE: DecidingWords = { safe: ['safe'], unsafe: ['unsafe'] }

/**
 * Probability of unsafe, 0 to 1, or undefined when the tokens do not tell, or tell another word than the text
 * did.
 *
 * With alternatives: p(unsafe) / (p(unsafe) + p(safe)), the form under which 0.5 agrees with greedy decoding.
 * Without: the probability of the chosen word, or one minus it, but at least .5 for unsafe and at most .5 for safe.
 * The rest belongs to words nobody knows, and a threshold must never rank a "safe" above an "unsafe".
 * A tokenizer without the word "unsafe" (Llama Guard 1 writes `un`, `safe`) decides at `un`; the tokens up to the end
 * of the word are multiplied.
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

/** Joint probability of the tokens that spell the word, undefined when they spell something else. */
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
 * Summed probability of the alternatives that lead to one of the words: ` unsafe`, `unsafe` and `un` may stand side
 * by side.
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

/** Sentencepiece and byte-level BPE write a space as U+2581 and U+0120, a line break as U+010A. */
const BLANK_START = /^[\s\u2581\u0120\u010a]+/
const BLANK_END = /(?<![\s\u2581\u0120\u010a])[\s\u2581\u0120\u010a]+$/

function bare(text: string): string {
  return text.replace(BLANK_START, '').replace(BLANK_END, '').toLowerCase()
}

/** Rounding puts some servers a hair above zero; anything clearly above it is no log probability. */
function isLogprob(value: number): boolean {
  return Number.isFinite(value) && value <= 1e-3
}
