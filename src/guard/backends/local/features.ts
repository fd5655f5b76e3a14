// The features that the linear model reads: hashed words and word pairs, and the families of concepts.ts. The trainer
// and the guard share this file, because a model works only with the features it was trained on.
import { concepts } from './concepts.js'

/**
 * Table sizes as powers of two, for words and pairs and for the meanings of single words. A change of any of these
 * numbers needs a new training run.
 */
export const BUCKETS = 1 << 17
export const MEANINGS = 1 << 16
const WORD = /[a-z]+(?:'[a-z]+)?|[0-9]+|[!?]+/g
/** Longer words are identifiers, URLs and noise. Their first characters are enough. */
const MAX_WORD = 24
/**
 * Two words this far apart, with only glue words between them, still make a pair: "kill" and "process" in "kill a
 * python's process".
 */
const REACH = 4

const FNV_BASIS = 0x811c9dc5
const FNV_PRIME = 0x01000193
/** Mixed into the hash of a pair over a gap, so that it differs from the pair of direct neighbours. */
const OVER_A_GAP = 0x5bd1e995

/**
 * murmur3's finaliser. It spreads an FNV value over all bits, because the low bits of FNV alone are poorly
 * distributed.
 */
function finish(hash: number): number {
  let value = hash ^ (hash >>> 16)
  value = Math.imul(value, 0x85ebca6b)
  value ^= value >>> 13
  value = Math.imul(value, 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

function hashWord(word: string): number {
  let hash = FNV_BASIS
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), FNV_PRIME)
  return hash
}

/** Slot of a word in the table of meanings. */
export const meaningOf = (word: string): number => finish(hashWord(word)) & (MEANINGS - 1)

/** Function words. Alone they only tell who wrote the corpus, so they count only beside another word. */
export const GLUE: ReadonlySet<string> = new Set(
  (
    'a about after all also am an and any are as at be been being but by can could did do does doing ' +
    'done for from get give given had has have having he her here hers him his how i if in into is ' +
    'it its just let like list make may me might more most much must my need no not now of on one ' +
    'only or other our out over please provide she should so some step steps such tell than that the ' +
    'their them then there ' +
    'these they this those through to too up us use used using via want was way ways we were what ' +
    'when where which while who whom whose why will with without would write you your yours explain ' +
    'describe create generate ' +
    "i'm i've it's don't can't let's what's that's"
  ).split(' '),
)

export interface Features {
  /** Buckets of words and word pairs, each once. */
  readonly words: readonly number[]
  /** Slots of the words that are not glue, each once. */
  readonly meanings: readonly number[]
  /** Numbers of the concept features, each once. */
  readonly concepts: readonly number[]
  /** How many words there are, repeated ones too. */
  readonly length: number
}

/** Words as the features are made of. */
export const wordsOf = (normalised: string): string[] =>
  (normalised.match(WORD) ?? []).map((word) => (word.length > MAX_WORD ? word.slice(0, MAX_WORD) : word))

/** Features of a normalised text. */
export function features(normalised: string): Features {
  const text = wordsOf(normalised)
  const words = new Set<number>()
  const meanings = new Set<number>()
  let before = { hash: 0, glue: true, at: -1 }
  let content = { hash: 0, at: -Infinity }
  for (const [at, word] of text.entries()) {
    const hash = hashWord(word)
    const glue = GLUE.has(word)
    if (before.at >= 0 && !(glue && before.glue)) words.add(finish(Math.imul(before.hash, 31) ^ hash) & (BUCKETS - 1))
    before = { hash, glue, at }
    if (glue) continue
    words.add(finish(hash) & (BUCKETS - 1))
    meanings.add(finish(hash) & (MEANINGS - 1))
    const gap = at - content.at
    if (gap > 1 && gap <= REACH) words.add(finish((Math.imul(content.hash, 31) ^ hash) + OVER_A_GAP) & (BUCKETS - 1))
    content = { hash, at }
  }
  return { words: [...words], meanings: [...meanings], concepts: concepts(text), length: text.length }
}
