// Tells known words of English from other signs, in one pass and without making strings.
import { Buffer } from 'node:buffer'
import { brotliDecompressSync } from 'node:zlib'
import { APOSTROPHE, DIGIT, GAP, GLUE, HIDING, isAlike, LETTER, PLAIN, SCRIPT, SIGNS } from './signs.js'
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

/** Characters between two tokens that are more than punctuation. */
export const LONG_GAP = 16

/** Letters of a token that are told apart. */
const LONG_TOKEN = 64

/** Whether a unit is a letter, or stands for one. */
const isLetter = (code = 0): boolean => SIGNS[code] === LETTER || SIGNS[code] === DIGIT

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
  /** Known words that were passed before the token, and where they end. */
  passed = 0
  before = 0
  /** The units of UTF-16, which are read twice as fast from an array as from a string. */
  readonly units: Uint16Array

  constructor(text: string) {
    this.text = text
    const { buffer, byteOffset } = Buffer.from(text, 'utf16le')
    this.units = new Uint16Array(buffer, byteOffset, text.length)
  }

  /** A stretch of the units as a text. */
  from(start: number, end: number): string {
    return Buffer.from(this.units.buffer, this.units.byteOffset).toString('utf16le', 2 * start, 2 * end)
  }

  /** Whether a mark stands for a letter, because it is between two: `k!ll`. */
  #joins(code: number, at: number): boolean {
    return (code === 0x21 || code === 0x7c) && isLetter(this.units[at + 1]) && isLetter(this.units[at - 1])
  }

  /**
   * Reads the next token. With `passes` it passes the known words before it, which most texts consist of, and counts
   * them.
   */
  next(passes = false): boolean {
    const units = this.units
    const signs = SIGNS
    const last = units.length
    const bits = (known ??= read())
    let passed = 0
    let before = this.end
    for (;;) {
      let at = before
      let code = 0
      while (at < last && signs[(code = units[at]!)] === GAP) at++
      const start = at
      let hash = BASIS
      while (at < last && signs[(code = units[at]!)] === LETTER) {
        hash = Math.imul(hash ^ (code | 32), PRIME)
        at++
      }
      const letters = at - start
      const isPlain = at === last || (signs[code] === GAP && !this.#joins(code, at))
      const isWord = isPlain && letters > 1 && isKnown(hash, bits)
      if (isWord && passes && start - before < LONG_GAP) {
        passed++
        before = at
        continue
      }
      this.passed = passed
      this.before = before
      this.start = start
      this.end = at
      this.letters = letters
      this.kind = isWord ? KNOWN : NOTHING
      if (!isWord && start < last) this.#read(hash)
      return start < last
    }
  }

  /** Reads a token that is more than a known word, of which the first letters were read. */
  #read(read: number): void {
    const { units, start, end } = this
    const signs = SIGNS
    let hash = read
    let letters = this.letters
    let [stem, small, digits, inner, glue, others] = [0, 0, 0, 0, 0, 0]
    let disguise = PLAIN
    let alike = false
    let camel = false
    for (let at = start; at < end; at++) {
      if (units[at]! >= 97) small++
      else if (small > 0) camel = true
    }
    let digit = -1
    let at = end
    for (; at < units.length; at++) {
      const code = units[at]!
      const sign = signs[code]!
      if (sign === LETTER) {
        // Of a long token less is asked.
        if (letters >= LONG_TOKEN) continue
        letters++
        if (code >= 97) small++
        else if (small + digits > 0) camel = true
        if (digit === at) inner++
        hash = Math.imul(hash ^ (code | 32), PRIME)
      } else if (sign === DIGIT || (sign === GAP && this.#joins(code, at))) {
        digits++
        digit = at + 1
      } else if (sign === GAP) break
      else if (sign === APOSTROPHE) stem = hash
      else if (sign === GLUE) glue++
      else {
        others++
        const hides = HIDING[code]!
        if (hides > disguise) disguise = hides
        if (hides >= SCRIPT) alike ||= isAlike(code)
      }
    }
    this.end = at
    this.letters = letters
    this.small = small
    this.camel = camel
    this.inner = inner
    this.glue = glue
    this.twoScripts = alike && letters > 0
    this.disguise = disguise === SCRIPT && letters === 0 ? PLAIN : disguise
    if (others > 0) this.kind = STRANGE
    else if (letters === 0) this.kind = digits === 0 ? NOTHING : glue > 1 ? MIXED : NUMBER
    else if (digits + glue > 0) this.kind = MIXED
    else this.kind = stem !== 0 && isKnown(stem) ? KNOWN : kindOf(letters, hash)
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

/** Reads the first characters of a text, by default all. */
export function readingOf(text: string, most = Infinity): Reading {
  const tokens = new Tokens(text.slice(0, most))
  let [words, inWords, letters, count] = [0, 0, 0, 0]
  while (tokens.next()) {
    if (tokens.kind === NUMBER || tokens.kind === NOTHING) continue
    count++
    letters += tokens.end - tokens.start
    if (tokens.kind !== KNOWN) continue
    inWords += tokens.end - tokens.start
    if (tokens.letters > 1) words++
  }
  return { words, share: letters === 0 ? 0 : inWords / letters, tokens: count }
}

/** Signs of a token that are read in two ways, as a power of two. */
const MOST_CHOICES = 16

/**
 * Which of two letters each sign of a token stands for when it is a known word: a bit for each sign that has two.
 * Undefined when it is none. `letters` has the first letter of each sign, and 128 places behind it the second, or 0.
 */
export function wordAmong({ units, start, end }: Tokens, letters: Uint8Array): number | undefined {
  for (let choice = 0, choices = 1; choice < choices; choice++) {
    let hash = BASIS
    let stem = 0
    let bit = 1
    for (let at = start; at < end; at++) {
      const code = units[at]! & 127
      const second = bit < MOST_CHOICES ? letters[code + 128]! : 0
      const letter = second > 0 && (choice & bit) > 0 ? second : letters[code]!
      if (second > 0) bit *= 2
      if (SIGNS[units[at]!] === APOSTROPHE) stem = hash
      else hash = Math.imul(hash ^ (letter | 32), PRIME)
    }
    if ((stem !== 0 && isKnown(stem)) || kindOf(end - start, hash) === KNOWN) return choice
    choices = bit
  }
  return undefined
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
