// Tells known words of English from other signs, in one pass and without making strings.
import { Buffer } from 'node:buffer'
import { brotliDecompressSync } from 'node:zlib'
import { APOSTROPHE, DIGIT, GAP, HIDING, isAlike, LETTER, OTHER, PLAIN, SCRIPT, SIGNS } from './signs.js'
import { WORDS } from './words-table.js'

/** Bits of the set of known words, as a power of two. */
const SET_BITS = 19
const PLACES = (1 << SET_BITS) - 1
const PRIME = 0x01000193
const BASIS = 0x811c9dc5 | 0

/** Two bits of the set for each hash, so that one unknown word in a thousand counts as known. */
const firstOf = (hash: number): number => Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> (32 - SET_BITS)
const secondOf = (hash: number): number => (hash ^ (hash >>> 13)) & PLACES

/** The words of one letter. */
const A = Math.imul(BASIS ^ 97, PRIME)
const I = Math.imul(BASIS ^ 105, PRIME)

let known: Uint8Array | undefined

function read(): Uint8Array {
  const bits = new Uint8Array(1 << (SET_BITS - 3))
  for (const word of brotliDecompressSync(Buffer.from(WORDS, 'base64')).toString().split(' ')) {
    let hash = BASIS
    for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), PRIME)
    for (const place of [firstOf(hash), secondOf(hash)]) bits[place >>> 3]! |= 1 << (place & 7)
  }
  return bits
}

function isKnown(hash: number, bits = (known ??= read())): boolean {
  const first = firstOf(hash)
  const second = secondOf(hash)
  return ((bits[first >>> 3]! >>> (first & 7)) & (bits[second >>> 3]! >>> (second & 7)) & 1) === 1
}

/** The kinds of tokens. */
export const KNOWN = 1
/** Letters that are no known word. */
export const UNKNOWN = 2
export const NUMBER = 3
/** Letters with digits or glue among them. */
export const MIXED = 4
/** Letters or signs outside ASCII. */
export const STRANGE = 5
/** Glue or apostrophes alone. */
const NOTHING = 6

/** Whether a mark stands for a letter, because it is between two: `k!ll`. */
function joins(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return (code === 0x21 || code === 0x7c) && isLetter(text.charCodeAt(at + 1)) && isLetter(text.charCodeAt(at - 1))
}
const isLetter = (code: number): boolean => SIGNS[code] === LETTER

/** Characters between two tokens that are more than punctuation. */
export const LONG_GAP = 16

/** Reads the tokens of a text one after the other. Its fields describe the token that was read last. */
export class Tokens {
  readonly text: string
  start = 0
  end = 0
  kind = NOTHING
  letters = 0
  /** Whether a capital stands behind a small letter or a digit. */
  camel = false
  /** Signs that hold together what is no word. */
  glue = 0
  /** Digits that stand before a letter. */
  inner = 0
  /** Small letters. */
  small = 0
  /** What the characters outside ASCII tell: whether there may be others below. */
  disguise = PLAIN
  /** Whether ASCII letters stand beside Greek, Cyrillic or other look-alike letters. */
  twoScripts = false
  readonly #last: number

  /** Reads the tokens from a place to before another: those of the whole text by default. */
  constructor(text: string, start = 0, end = text.length) {
    this.text = text
    this.end = start
    this.#last = end
  }

  /** Passes known words of letters, which most texts consist of, and returns how many they are. */
  pass(): number {
    const { text } = this
    const last = this.#last
    const bits = (known ??= read())
    let words = 0
    for (let at = this.end; ; words++) {
      let code = 0
      while (at < last && SIGNS[(code = text.charCodeAt(at))] === GAP) at++
      const start = at
      let hash = BASIS
      while (at < last && SIGNS[(code = text.charCodeAt(at))] === LETTER) {
        hash = Math.imul(hash ^ (code | 32), PRIME)
        at++
      }
      if (at - start < 2 || start - this.end >= LONG_GAP) return words
      if (at < last && (SIGNS[code] !== GAP || joins(text, at))) return words
      if (!isKnown(hash, bits)) return words
      this.end = at
    }
  }

  next(): boolean {
    const { text } = this
    const last = this.#last
    let at = this.end
    while (at < last && SIGNS[text.charCodeAt(at)] === GAP) at++
    this.start = at
    let hash = BASIS
    let small = 0
    let camel = false
    // Most tokens are plain words.
    for (; at < last; at++) {
      const code = text.charCodeAt(at)
      if (SIGNS[code] !== LETTER) break
      if (code >= 97) small++
      else if (small > 0) camel = true
      hash = Math.imul(hash ^ (code | 32), PRIME)
    }
    this.end = at
    this.letters = at - this.start
    this.camel = camel
    this.glue = this.inner = 0
    this.small = small
    this.disguise = PLAIN
    this.twoScripts = false
    if (at === last || (SIGNS[text.charCodeAt(at)] === GAP && !joins(text, at))) {
      this.kind = this.letters === 0 ? NOTHING : kindOf(this.letters, hash)
      return at > this.start
    }
    this.#rest(hash, small)
    return true
  }

  /** Reads on where a token is more than letters of ASCII. */
  #rest(first: number, small: number): void {
    const { text } = this
    let hash = first
    let stem = 0
    let digits = 0
    let others = 0
    let disguise = PLAIN
    let alike = false
    let before = LETTER
    let at = this.end
    for (; at < this.#last; at++) {
      const code = text.charCodeAt(at)
      const sign = SIGNS[code]!
      if (sign === GAP && !joins(text, at)) break
      if (sign === LETTER) {
        if (code < 97) this.camel ||= small + digits > 0
        else small++
        this.letters++
        if (before === DIGIT) this.inner++
        hash = Math.imul(hash ^ (code | 32), PRIME)
      } else if (sign === DIGIT || sign === GAP) digits++
      else if (sign === APOSTROPHE) stem = hash
      else if (sign === OTHER) {
        others++
        disguise = Math.max(disguise, HIDING[code]!)
        alike ||= isAlike(code)
      } else this.glue++
      before = sign === GAP ? DIGIT : sign
    }
    this.end = at
    this.small = small
    this.twoScripts = alike && this.letters > 0
    this.disguise = disguise === SCRIPT && this.letters === 0 ? PLAIN : disguise
    if (others > 0) this.kind = STRANGE
    else if (this.letters === 0) this.kind = digits === 0 ? NOTHING : this.glue > 1 ? MIXED : NUMBER
    else if (digits + this.glue > 0) this.kind = MIXED
    else this.kind = stem !== 0 && isKnown(stem) ? KNOWN : kindOf(this.letters, hash)
  }
}

function kindOf(letters: number, hash: number): number {
  return letters === 1 ? (hash === A || hash === I ? KNOWN : UNKNOWN) : isKnown(hash) ? KNOWN : UNKNOWN
}

/** How much of a text reads as English. */
export interface Reading {
  /** Known words of at least two letters. */
  readonly words: number
  /** The share of letters that stand in known words. */
  readonly share: number
  readonly tokens: number
}

export function readingOf(text: string, most = Infinity): Reading {
  const tokens = new Tokens(text)
  let [words, inWords, letters, count] = [0, 0, 0, 0]
  while (count < most && tokens.next()) {
    if (tokens.kind === NUMBER || tokens.kind === NOTHING) continue
    count++
    letters += tokens.end - tokens.start
    if (tokens.kind !== KNOWN) continue
    inWords += tokens.end - tokens.start
    if (tokens.letters > 1) words++
  }
  return { words, share: letters === 0 ? 0 : inWords / letters, tokens: count }
}

/** Signs of a token that are read in more than one way. */
const MOST_CHOICES = 4

/**
 * The first known word that a stretch of a text may stand for, when each character may be one of some letters. Every
 * combination is tried without making strings, which takes a fifth of the time.
 */
export function wordAmong(
  { text, start, end }: { readonly text: string; readonly start: number; readonly end: number },
  lettersOf: (code: number) => string,
): string | undefined {
  const from = (at: number, hash: number, stem: number, choices: number): string | undefined => {
    if (at === end) return (stem !== 0 && isKnown(stem)) || kindOf(at - start, hash) === KNOWN ? '' : undefined
    const letters = lettersOf(text.charCodeAt(at))
    const ways = choices === 0 ? 1 : letters.length
    for (let way = 0; way < ways; way++) {
      const code = letters.charCodeAt(way)
      const sign = SIGNS[code]!
      if (sign !== LETTER && sign !== APOSTROPHE) continue
      const left = ways > 1 ? choices - 1 : choices
      const rest =
        sign === LETTER
          ? from(at + 1, Math.imul(hash ^ (code | 32), PRIME), stem, left)
          : from(at + 1, hash, hash, left)
      if (rest !== undefined) return String.fromCharCode(code | (sign === LETTER ? 32 : 0)) + rest
    }
    return undefined
  }
  return from(start, BASIS, 0, MOST_CHOICES)
}

/** Whether a text is a single word of English. */
export function isWord(text: string): boolean {
  const tokens = new Tokens(text)
  return tokens.next() && tokens.kind === KNOWN && tokens.start === 0 && tokens.end === text.length
}

const LONGEST = 16
/** What a letter outside of known words costs. A word costs 1, and one of two letters 2. */
const STRAY = 4

/** Puts blanks between the words of letters that were written without any. Undefined when they are no words. */
export function segmented(letters: string): string | undefined {
  if (letters.length < 6 || !/^[a-z]+$/i.test(letters)) return undefined
  const cost = new Float64Array(letters.length + 1).fill(Infinity, 1)
  const from = new Int32Array(letters.length + 1)
  for (let start = 0; start < letters.length; start++) {
    let hash = BASIS
    for (let end = start + 1; end <= Math.min(letters.length, start + LONGEST); end++) {
      hash = Math.imul(hash ^ (letters.charCodeAt(end - 1) | 32), PRIME)
      const length = end - start
      const word = kindOf(length, hash) === KNOWN
      const total = cost[start]! + (word ? (length < 3 ? 2 : 1) : length === 1 ? STRAY : Infinity)
      if (total >= cost[end]!) continue
      cost[end] = total
      from[end] = start
    }
  }
  const words: string[] = []
  let strays = 0
  for (let end = letters.length; end > 0; end = from[end]!) {
    const word = letters.slice(from[end], end)
    if (cost[end]! - cost[from[end]!]! >= STRAY) strays++
    words.push(word)
  }
  if (strays * 5 > letters.length || words.length * 2.5 > letters.length) return undefined
  return words.reverse().join(' ')
}
