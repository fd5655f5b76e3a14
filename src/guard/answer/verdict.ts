// Reads the answer of Llama Guard: `safe`, or `unsafe` and the violated categories on the next line. Only the exact
// word `safe` is safe: a reader that accepts "starts with safe" would let an echo, a cut or an off-format answer
// pass. An answer that begins with the word `unsafe` blocks, whatever follows it. The readers of other models' answers
// use the same parts: the text of an answer, how generation ended, its score. `checkedVerdict` checks the verdicts of
// every guard: `{ safe: 'no' }` is truthy, and a score of NaN is below any threshold.
import type { Category, Verdict } from '../../types.js'
import { type LlamaGuardError, unparseableVerdict } from '../../types/errors.js'
import { isObject } from '../../utils/json.js'
import type { Completion, TokenLogprob } from './completion.js'

const UNSAFE = /^unsafe(?:[ \t]*\r?\n([^]+))?$/i
const CODES = /^[a-z]\d{1,3}(?:[ \t\r\n]*,[ \t\r\n]*[a-z]\d{1,3})*[ \t\r\n]*,?$/i
/**
 * The word `unsafe` at the beginning of an off-format answer. A category code may follow it without a space. Another
 * letter makes it a different word, such as "unsafely".
 */
const BEGINS_UNSAFE = /^\s*unsafe(?:[a-z]\d|[^\p{L}\p{M}]|$)/iu

/**
 * Reads the verdict in a completion. Category codes are matched without regard to case. Codes that the policy does
 * not know go into `unknown`, and the verdict stays unsafe. An answer cut by the token limit is never safe; when it
 * is unsafe, it is `truncated`. An off-format answer that begins with the word unsafe gives an unsafe verdict without
 * categories, `truncated` and with a score of 1, so that no threshold, action or `onError` lets the text pass.
 * @throws LlamaGuardError `unparseable_verdict` for anything else.
 */
export function parseVerdict(completion: Completion, categories: readonly Category[]): Verdict {
  const { text } = completion
  const { answer, ending, usage } = answerOf(completion)
  if (answer === 'safe' && ending === 'whole')
    return { safe: true, categories: [], ...scoreBehind(completion, '', 'safe'), ...usage }

  const unsafe = UNSAFE.exec(answer)
  const codes = unsafe?.[1]?.replace(/^[ \t\r\n]+/, '')
  const list = ending === 'whole' ? codes : codes && withoutCut(codes)
  if (!unsafe || (list && !CODES.test(list))) {
    if (BEGINS_UNSAFE.test(text)) return offFormatUnsafe(completion)
    throw unparseable(completion, 'wanted "safe", or "unsafe" and a line of category codes')
  }
  const { known, unknown } = sort(list?.split(',') ?? [], categories)
  return {
    safe: false,
    categories: known,
    ...(unknown.length > 0 && { unknown }),
    ...(ending !== 'whole' && { truncated: true }),
    ...scoreBehind(completion, '', 'unsafe'),
    ...usage,
  }
}

/**
 * The codes without the incomplete rest that the token limit may leave behind the last whole code: a comma, and the
 * letter of the next code.
 */
function withoutCut(codes: string): string {
  const whole = withoutEnd(codes.replace(/[a-z]$/i, ''))
  return whole.endsWith(',') ? withoutEnd(whole.slice(0, -1)) : whole
}

function sort(codes: readonly string[], categories: readonly Category[]) {
  const ids = new Map(categories.map(({ id }) => [id.toUpperCase(), id]))
  const given = [...new Set(codes.map((code) => code.trim().toUpperCase()))].filter((code) => code !== '')
  return { known: given.flatMap((code) => ids.get(code) ?? []), unknown: given.filter((code) => !ids.has(code)) }
}

/** A verdict is far shorter. The limit keeps the readers' patterns fast on an answer of several megabytes. */
const LONGEST = 1000
/** Only ASCII white space. An answer that begins with other white space is off format. */
const LEADING = /^[ \t\r\n]+/
/** Special tokens. A server that does not skip them leaves them at the end of the text. */
const TOKENS = ['<|eot_id|>', '<|eot|>', '<|eom_id|>', '<|eom|>', '<|end_of_text|>', '</s>']
const BLANK = /[ \t\r\n]/

const ENDED = new Set(['eos_token', 'stop_sequence', 'stop', 'eos'])
const CUT_OFF = new Set(['length', 'max_tokens'])

export type Ending = 'whole' | 'cut' | 'failed'

/** The answer without the white space and special tokens around it. It is empty for a text that is no verdict. */
export function answerOf({ text, finishReason, usage }: Completion) {
  const answer = text.length > LONGEST ? '' : withoutEnd(text.replace(LEADING, ''), TOKENS)
  const ended = finishReason === undefined || ENDED.has(finishReason)
  const ending: Ending = ended ? 'whole' : CUT_OFF.has(finishReason) ? 'cut' : 'failed'
  return { answer, ending, usage: usage && { tokens: usage } }
}

/**
 * The text without the white space and the given tokens at its end. A loop removes one token a step, because a
 * pattern anchored at the end backtracks.
 */
export function withoutEnd(text: string, tokens: readonly string[] = []): string {
  let end = text.length
  for (;;) {
    const step = BLANK.test(text.charAt(end - 1)) ? 1 : tokens.find((token) => text.endsWith(token, end))?.length
    if (step === undefined) return text.slice(0, end)
    end -= step
  }
}

/**
 * The verdict for an answer that begins with the model's word for unsafe and then leaves the format. It carries
 * `truncated` and a score of 1, so no threshold or category action can let the text pass.
 */
export function offFormatUnsafe({ usage }: Completion): Verdict {
  return { safe: false, categories: [], truncated: true, score: 1, ...(usage && { tokens: usage }) }
}

/**
 * The error names the length and the finish reason only. It never quotes the answer, because the model may echo the
 * prompt, which is chat content.
 */
export function unparseable(completion: Completion, wanted: string): LlamaGuardError {
  const { ending } = answerOf(completion)
  const how =
    ending === 'cut' ? ', cut by its token limit' : ending === 'failed' ? ', and said that generation failed' : ''
  return unparseableVerdict(
    `The guard answered ${completion.text.length} characters${how}; ${wanted}. Check that the endpoint runs the model ` +
      'named by LLAMA_GUARD_MODEL.',
  )
}

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
function scoreOf(tokens: Tokens, said: string, words: DecidingWords = SAFE_UNSAFE): number | undefined {
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

/** The score of a word behind a prefix. The tokens of the prefix are skipped, because they do not depend on it. */
export function scoreBehind(
  { tokens = [] }: Completion,
  prefix: string,
  said: string,
  words?: DecidingWords,
): Pick<Verdict, 'score'> {
  let written = ''
  const from = prefix === '' ? 0 : tokens.findIndex(({ text }) => (written += text).trimEnd().endsWith(prefix)) + 1
  const score = prefix !== '' && from === 0 ? undefined : scoreOf(tokens.slice(from), said, words)
  return score === undefined ? {} : { score }
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

const MAX_CATEGORIES = 256
const MAX_NAME = 200

/**
 * Returns a copy with the known fields only. Its lists are frozen, because the verdict is remembered and given to
 * many callers.
 * @throws LlamaGuardError `unparseable_verdict` for anything that is not a complete {@link Verdict}.
 */
export function checkedVerdict(value: unknown): Verdict {
  if (!isObject(value)) throw unusable(`${describe(value)} instead of a verdict object`)
  const verdict: Record<string, unknown> = {}
  for (const [name, isRight, wanted, copy] of FIELDS) {
    const given = name === 'categories' && value[name] === undefined ? NO_NAMES : value[name]
    if (given === undefined && name !== 'safe') continue
    if (!isRight(given)) throw unusable(`"${name}" as ${describe(given)}, wanted ${wanted}`)
    verdict[name] = copy === undefined ? given : copy(given as never)
  }
  const checked = verdict as unknown as Verdict
  if (checked.safe && checked.categories.length + (checked.unknown?.length ?? 0) > 0)
    throw unusable('safe, and violated categories beside it')
  return checked
}

function unusable(what: string): LlamaGuardError {
  return unparseableVerdict(
    `The guard answered ${what}. A guard must resolve to { safe: boolean, categories: string[] } or reject.`,
  )
}

/** The type only, because a value that a guard returned by mistake may be chat content. */
function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
}

const NO_NAMES: readonly string[] = Object.freeze([])
const frozen = (names: readonly string[]): readonly string[] =>
  names.length === 0 ? NO_NAMES : Object.freeze([...names])
const frozenCopy = (values: object): object => Object.freeze({ ...values })

const isFlag = (value: unknown): boolean => typeof value === 'boolean'
const isName = (value: unknown): boolean => typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME
const isNames = (value: unknown): boolean =>
  Array.isArray(value) && value.length <= MAX_CATEGORIES && value.every(isName)
const isProbability = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 1
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const areAll = (isRight: (value: unknown) => boolean, most: number) => (value: unknown) =>
  isObject(value) && Object.keys(value).length <= most && Object.values(value).every(isRight)

type Field = readonly [
  name: string,
  isRight: (value: unknown) => boolean,
  wanted: string,
  copy?: (value: never) => unknown,
]

/** The fields of a verdict. */
const FIELDS: readonly Field[] = [
  ['safe', isFlag, 'a boolean'],
  ['categories', isNames, 'a list of short strings', frozen],
  ['unknown', isNames, 'a list of short strings', frozen],
  ['truncated', isFlag, 'a boolean'],
  ['score', isProbability, 'a number from 0 to 1'],
  ['categoryScores', areAll(isProbability, MAX_CATEGORIES), 'numbers from 0 to 1', frozenCopy],
  ['judgedBy', isName, 'a short string'],
  ['namedBy', areAll(isName, 2 * MAX_CATEGORIES), 'an object of short strings', frozenCopy],
  ['attempts', isCount, 'a count'],
  ['tokens', areAll((count) => count === undefined || isCount(count), 2), 'counts', frozenCopy],
  ['cached', isFlag, 'a boolean'],
]
