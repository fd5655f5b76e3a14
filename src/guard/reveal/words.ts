// Tells known words of English from other signs, in one pass and without making strings.
import { Buffer } from 'node:buffer'
import { brotliDecompressSync } from 'node:zlib'
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

function isKnown(hash: number): boolean {
  const bits = (known ??= read())
  const first = firstOf(hash)
  const second = secondOf(hash)
  return ((bits[first >>> 3]! >>> (first & 7)) & (bits[second >>> 3]! >>> (second & 7)) & 1) === 1
}

/** What a character is to a word. */
const GAP = 0
const LETTER = 1
const DIGIT = 2
/** Holds together what is no word: `%20`, `&#72;`, `\u0048`, `p@ss`. */
const GLUE = 3
const APOSTROPHE = 4
/** A letter or sign outside ASCII. */
const OTHER = 5

const SIGNS = new Uint8Array(0x80)
for (let code = 0; code < 0x80; code++) {
  const sign = String.fromCharCode(code)
  if (/[a-z]/i.test(sign)) SIGNS[code] = LETTER
  else if (/\d/.test(sign)) SIGNS[code] = DIGIT
  else if ('%&#\\=@$+'.includes(sign)) SIGNS[code] = GLUE
  else if (sign === "'") SIGNS[code] = APOSTROPHE
}

function signOf(code: number): number {
  if (code < 0x80) return SIGNS[code]!
  if (code === 0x2019) return APOSTROPHE
  // Blanks, dashes, quotes and the marks of Chinese and Japanese separate words as those of ASCII do.
  if (code === 0xa0 || (code >= 0x2000 && code <= 0x200a) || (code >= 0x2010 && code <= 0x2029)) return GAP
  if (code === 0xb7 || (code >= 0x2030 && code <= 0x205f) || (code >= 0x2190 && code <= 0x23ff)) return GAP
  if (code >= 0x3000 && code <= 0x301f) return GAP
  return OTHER
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

/** Reads the tokens of a text one after the other. Its fields describe the token that was read last. */
export class Tokens {
  readonly text: string
  start = 0
  end = 0
  kind = NOTHING
  letters = 0
  /** Whether a capital stands behind a small letter or a digit. */
  camel = false
  /** Whether ASCII letters stand beside Greek, Cyrillic or other look-alike letters. */
  twoScripts = false
  readonly #last: number

  /** Reads the tokens from a place to before another: those of the whole text by default. */
  constructor(text: string, start = 0, end = text.length) {
    this.text = text
    this.end = start
    this.#last = end
  }

  next(): boolean {
    const { text } = this
    const length = this.#last
    let at = this.end
    while (at < length && signOf(text.charCodeAt(at)) === GAP) at++
    this.start = at
    let hash = BASIS
    let small = 0
    let camel = false
    // Most tokens are plain words.
    for (; at < length; at++) {
      const code = text.charCodeAt(at)
      if (code >= 0x80 || SIGNS[code] !== LETTER) break
      if (code >= 97) small++
      else if (small > 0) camel = true
      hash = Math.imul(hash ^ (code | 32), PRIME)
    }
    this.end = at
    this.letters = at - this.start
    this.camel = camel
    this.twoScripts = false
    if (at === length || signOf(text.charCodeAt(at)) === GAP) {
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
    let glue = 0
    let others = 0
    let alike = false
    let at = this.end
    for (; at < this.#last; at++) {
      const code = text.charCodeAt(at)
      const sign = signOf(code)
      if (sign === GAP) break
      if (sign === LETTER) {
        if (code < 97) this.camel ||= small + digits > 0
        else small++
        this.letters++
        hash = Math.imul(hash ^ (code | 32), PRIME)
      } else if (sign === DIGIT) digits++
      else if (sign === GLUE) glue++
      else if (sign === APOSTROPHE) stem = hash
      else {
        others++
        alike ||= isAlike(code)
      }
    }
    this.end = at
    this.twoScripts = alike && this.letters > 0
    if (others > 0) this.kind = STRANGE
    else if (this.letters === 0) this.kind = digits === 0 ? NOTHING : glue > 1 ? MIXED : NUMBER
    else if (digits + glue > 0) this.kind = MIXED
    else this.kind = stem !== 0 && isKnown(stem) ? KNOWN : kindOf(this.letters, hash)
  }
}

function kindOf(letters: number, hash: number): number {
  return letters === 1 ? (hash === A || hash === I ? KNOWN : UNKNOWN) : isKnown(hash) ? KNOWN : UNKNOWN
}

/** Letters of scripts that have look-alikes of Latin letters: phonetic, Greek, Cyrillic, Armenian, Cherokee. */
const isAlike = (code: number): boolean =>
  (code >= 0x250 && code < 0x2b0) || (code >= 0x370 && code < 0x590) || (code >= 0x13a0 && code < 0x1400)

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

/**
 * The first known word that has one of the letters of each place: a short token, of which every combination is tried,
 * without making strings (a text of 60,000 such tokens took 2.4 s with them, and .5 s without).
 */
export function wordAmong(places: readonly string[]): string | undefined {
  const from = (at: number, hash: number, stem: number): string | undefined => {
    if (at === places.length) return (stem !== 0 && isKnown(stem)) || kindOf(at, hash) === KNOWN ? '' : undefined
    for (const letter of places[at]!) {
      const code = letter.charCodeAt(0)
      const sign = signOf(code)
      if (sign !== LETTER && sign !== APOSTROPHE) continue
      const rest = sign === LETTER ? from(at + 1, Math.imul(hash ^ (code | 32), PRIME), stem) : from(at + 1, hash, hash)
      if (rest !== undefined) return letter + rest
    }
    return undefined
  }
  return from(0, BASIS, 0)
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
  const cost = new Float64Array(letters.length + 1)
  const from = new Int32Array(letters.length + 1)
  for (let end = 1; end <= letters.length; end++) {
    cost[end] = cost[end - 1]! + STRAY
    from[end] = end - 1
  }
  for (let start = 0; start < letters.length; start++) {
    let hash = BASIS
    // A way that arrives here by stray letters is as good as any other.
    if (start > 0 && cost[start]! > cost[start - 1]! + STRAY) {
      cost[start] = cost[start - 1]! + STRAY
      from[start] = start - 1
    }
    for (let end = start + 1; end <= Math.min(letters.length, start + LONGEST); end++) {
      const code = letters.charCodeAt(end - 1) | 32
      hash = Math.imul(hash ^ code, PRIME)
      const length = end - start
      if (!(length === 1 ? code === 97 || code === 105 : isKnown(hash))) continue
      const total = cost[start]! + (length < 3 ? 2 : 1)
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
