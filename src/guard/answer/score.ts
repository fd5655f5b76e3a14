// The probability of "unsafe" behind the model's word, from token log probabilities: what a threshold is compared with.
// Model cards define it on the first token that decides between the two words, which is not always the first token.
import type { Completion, TokenLogprob } from './completion.js'

type Tokens = NonNullable<Completion['tokens']>
type Word = 'safe' | 'unsafe'

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
export function scoreOf(tokens: Tokens, said: Word): number | undefined {
  const from = tokens.findIndex((token) => bare(token.text) !== '')
  const first = tokens[from]
  const chosen = first && wholeWord(tokens.slice(from), said)
  if (first === undefined || chosen === undefined) return undefined
  const other = weigh(first.top ?? [], said === 'safe' ? 'unsafe' : 'safe')
  const share = other === undefined ? Math.max(0.5, chosen) : chosen / (chosen + other)
  if (!Number.isFinite(share)) return undefined
  return said === 'unsafe' ? share : 1 - share
}

/** Joint probability of the tokens that spell the word, undefined when they spell something else. */
function wholeWord(tokens: Tokens, word: Word): number | undefined {
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
 * Summed probability of the alternatives that lead to the word: ` unsafe`, `unsafe` and `un` may stand side
 * by side.
 */
function weigh(top: readonly TokenLogprob[], word: Word): number | undefined {
  const leading = top.filter((token) => wordOf(token) === word && isLogprob(token.logprob))
  return leading.length === 0
    ? undefined
    : leading.reduce((sum, token) => sum + Math.exp(Math.min(0, token.logprob)), 0)
}

/** Which word a token begins or is. No beginning of one is a beginning of the other. */
function wordOf({ text }: TokenLogprob): Word | undefined {
  const start = bare(text)
  if (start === '') return undefined
  return 'safe'.startsWith(start) ? 'safe' : 'unsafe'.startsWith(start) ? 'unsafe' : undefined
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
