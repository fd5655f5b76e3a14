// The features that the linear model reads: hashed words and word pairs, and the families of concepts.ts. The trainer
// and the guard share this file, because a model works only with the features it was trained on.
import { FAMILIES } from './concepts.js'
import { hashWord, LISTED, Once, type Words } from './words.js'

/**
 * Table sizes as powers of two, for words and pairs and for the meanings of single words. A change of any of these
 * numbers needs a new training run.
 */
export const BUCKETS = 1 << 17
export const MEANINGS = 1 << 16
/**
 * Two words this far apart, with only glue words between them, still make a pair: "kill" and "process" in "kill a
 * python's process".
 */
const REACH = 4
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

/** Slot of a word in the table of meanings. */
export const meaningOf = (word: string): number => finish(hashWord(word)) & (MEANINGS - 1)

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

const FAMILY_COUNT = Object.keys(FAMILIES).length

/** The most different words of one family that are counted. More words add no information. */
const MOST = 4
/** The most words that may stand between two neighbouring families. */
const FAMILY_REACH = 4
const PAIRS = FAMILY_COUNT * MOST

/** How many features there are. */
export const CONCEPTS = PAIRS + FAMILY_COUNT * FAMILY_COUNT

const found = new Once(CONCEPTS)
const seen = new Once(LISTED)
const counts = new Uint8Array(FAMILY_COUNT)

/**
 * The features of the words from `first` to before `last`: for each family the number of its different words (one
 * feature a step), and which family stands shortly before which.
 */
export function concepts({ entries }: Words, first: number, last: number): readonly number[] {
  counts.fill(0)
  for (let at = first; at < last; at++) {
    const entry = entries[at]
    if (entry === undefined || entry.families.length === 0) continue
    const fresh = seen.add(entry.id)
    for (const family of entry.families) {
      if (fresh && counts[family]! < MOST) found.add(family * MOST + counts[family]!++)
      for (let before = Math.max(first, at - FAMILY_REACH); before < at; before++)
        for (const other of entries[before]?.families ?? []) found.add(PAIRS + other * FAMILY_COUNT + family)
    }
  }
  seen.take()
  return found.take()
}

const words = new Once(BUCKETS)
const meanings = new Once(MEANINGS)

/** Features of the words from `first` to before `last`. */
export function features(text: Words, first: number, last: number): Features {
  let before = 0
  let beforeIsGlue = true
  let content = 0
  let contentAt = -Infinity
  for (let at = first; at < last; at++) {
    const hash = text.hashes[at]!
    const glue = text.entries[at]?.glue === true
    if (at > first && !(glue && beforeIsGlue)) words.add(finish(Math.imul(before, 31) ^ hash) & (BUCKETS - 1))
    before = hash
    beforeIsGlue = glue
    if (glue) continue
    const mixed = finish(hash)
    words.add(mixed & (BUCKETS - 1))
    meanings.add(mixed & (MEANINGS - 1))
    const gap = at - contentAt
    if (gap > 1 && gap <= REACH) words.add(finish((Math.imul(content, 31) ^ hash) + OVER_A_GAP) & (BUCKETS - 1))
    content = hash
    contentAt = at
  }
  return { words: words.take(), meanings: meanings.take(), concepts: concepts(text, first, last), length: last - first }
}
