// Reads a normalised text once: where its words are, their hashes, and what the lists of this folder say of each. No
// word becomes a string. Windows of the text are ranges of these words.
import { FAMILIES } from './concepts.js'
import { CUES, HARMLESS, PAIRS } from './hazards.js'

/** Longer words are identifiers, URLs and noise. Their first characters are enough. */
const MAX_WORD = 24
const FNV_BASIS = 0x811c9dc5 | 0
const FNV_PRIME = 0x01000193

export function hashWord(word: string): number {
  let hash = FNV_BASIS
  for (let at = 0; at < word.length && at < MAX_WORD; at++) hash = Math.imul(hash ^ word.charCodeAt(at), FNV_PRIME)
  return hash
}

/** Function words. Alone they only tell who wrote the corpus, so they count only beside another word. */
export const GLUE: ReadonlySet<string> = new Set(
  (
    'a about after all also am an and any are as at be been being but by can could did do does doing done for from ' +
    'get give given had has have having he her here hers him his how i if in into is it its just let like list make ' +
    'may me might more most much must my need no not now of on one only or other our out over please provide she ' +
    'should so some step steps such tell than that the their them then there these they this those through to too up ' +
    'us use used using via want was way ways we were what when where which while who whom whose why will with ' +
    'without would write you your yours explain describe create generate ' +
    "i'm i've it's don't can't let's what's that's"
  ).split(' '),
)

/** What the lists say of a word. */
export interface Entry {
  /** Numbers the words of all lists. */
  readonly id: number
  glue: boolean
  harmless: boolean
  readonly families: number[]
  /** Numbers of the pairs in which it is an act, and of those in which it is an object. */
  readonly acts: number[]
  readonly objects: number[]
  readonly cues: number[]
}

const ENTRIES = new Map<number, Entry>()

function entryOf(word: string): Entry {
  const hash = hashWord(word)
  const found = ENTRIES.get(hash)
  if (found !== undefined) return found
  const fresh = { id: ENTRIES.size, glue: false, harmless: false, families: [], acts: [], objects: [], cues: [] }
  ENTRIES.set(hash, fresh)
  return fresh
}

for (const word of GLUE) entryOf(word).glue = true
for (const word of HARMLESS) entryOf(word).harmless = true
for (const [family, words] of Object.values(FAMILIES).entries())
  for (const word of words.split(' ')) entryOf(word).families.push(family)
for (const [pair, { acts, objects }] of PAIRS.entries()) {
  for (const word of acts) entryOf(word).acts.push(pair)
  for (const word of objects) entryOf(word).objects.push(pair)
}
for (const [cue, { words }] of CUES.entries()) for (const word of words) entryOf(word).cues.push(cue)

/** How many words the lists hold. */
export const LISTED = ENTRIES.size

const LETTER = 1
const DIGIT = 2
const MARK = 3
const APOSTROPHE = 39
/** What each character of ASCII is to a word. */
const SIGNS = Uint8Array.from({ length: 128 }, (_, code) => {
  const sign = String.fromCharCode(code)
  return /[a-z]/.test(sign) ? LETTER : /\d/.test(sign) ? DIGIT : /[!?]/.test(sign) ? MARK : 0
})

/** A text in lower case and its words: letters with one apostrophe among them, digits, or `!` and `?`. */
export class Words {
  readonly text: string
  readonly starts: number[] = []
  readonly ends: number[] = []
  readonly hashes: number[] = []
  readonly entries: (Entry | undefined)[] = []

  constructor(text: string) {
    this.text = text
    for (let at = 0; at < text.length;) {
      const sign = SIGNS[text.charCodeAt(at)] ?? 0
      if (sign === 0) {
        at++
        continue
      }
      const start = at
      let hash = FNV_BASIS
      let joined = sign !== LETTER
      for (; ; at++) {
        const code = text.charCodeAt(at)
        if (SIGNS[code] !== sign) {
          if (joined || code !== APOSTROPHE || SIGNS[text.charCodeAt(at + 1)] !== LETTER) break
          joined = true
        }
        if (at < start + MAX_WORD) hash = Math.imul(hash ^ code, FNV_PRIME)
      }
      this.starts.push(start)
      this.ends.push(at)
      this.hashes.push(hash)
      this.entries.push(ENTRIES.get(hash))
    }
  }

  /** The number of the first word that starts at a character or behind it. */
  from(at: number): number {
    return lowerBound(this.starts, at)
  }
}

/** The index of the first of these ascending numbers that is at least `least`. */
export function lowerBound(numbers: readonly number[], least: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (numbers[middle]! < least) low = middle + 1
    else high = middle
  }
  return low
}

/** Numbers below a bound, each once, in the order in which they came. */
export class Once {
  readonly #bits: Int32Array
  #list: number[] = []

  constructor(bound: number) {
    this.#bits = new Int32Array((bound + 31) >>> 5)
  }

  /** Whether the number is new. */
  add(value: number): boolean {
    const bit = 1 << (value & 31)
    if ((this.#bits[value >>> 5]! & bit) !== 0) return false
    this.#bits[value >>> 5]! |= bit
    this.#list.push(value)
    return true
  }

  /** The numbers so far. The next ones start anew. */
  take(): readonly number[] {
    const list = this.#list
    for (const value of list) this.#bits[value >>> 5] = 0
    this.#list = []
    return list
  }
}
