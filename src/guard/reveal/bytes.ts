// Decodes what is written in numbers or in letters for bytes: base64, base32, hex, binary, octal, decimal.
import { Buffer } from 'node:buffer'
import { readingOf, segmented } from './words.js'

const UNPRINTABLE = /(?![\t\n\r])[\p{Cc}\p{Co}\ufffd]/u
/** Bytes that tell whether the others are a text. */
const SAMPLE = 24

/** The text of these bytes, when they are one. A text that was cut, as a stream is, may end within a character. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length < 3) return undefined
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  // Windows writes two bytes a letter.
  if (buffer[1] === 0 && buffer[3] === 0) return textOf(Buffer.from(buffer.toString('utf16le')))
  for (const part of [buffer.subarray(0, SAMPLE), buffer]) {
    const text = part.toString('utf8').replace(/\ufffd$/, '')
    if (UNPRINTABLE.test(text)) return undefined
    if (part.length === buffer.length) return text
  }
  return undefined
}

/** Words of a script that no list of ours knows. */
const FOREIGN = /\p{L}[\p{L}\p{M}]+/gu
const NOT_LATIN = /[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/u

export const NOTHING = 0
/** Printable, and perhaps another layer. */
export const PRINTABLE = 1
export const WORDS = 2

/** Words with a blank between them. A token of JSON Web Tokens holds single ones, as any JSON does. */
const RUNNING = /(?<![a-z])[a-z']{1,20}(?: [a-z']{1,20}){4}/i

/** How much a decoded text is worth. */
export function worthOf(text: string): number {
  if (/^[{[]/.test(text)) {
    if (readingOf(RUNNING.exec(text)?.[0] ?? '').words >= 4) return WORDS
  } else if (isLanguage(text) || segmented(text.slice(0, 200)) !== undefined) return WORDS
  return text.length >= 8 && /^[\x20-\x7e\s]+$/.test(text) ? PRINTABLE : NOTHING
}

function isLanguage(text: string): boolean {
  const { words, share } = readingOf(text, 400)
  if (words >= 2 && share >= 0.55) return true
  if (words >= 1 && share > 0.95 && text.length >= 4) return true
  const foreign = text.match(FOREIGN) ?? []
  const letters = foreign.reduce((sum, word) => sum + word.length, 0)
  const running = / \p{L}+ /u.test(text) || NOT_LATIN.test(text)
  return running && letters >= 12 && letters >= text.length * 0.65 && (foreign.length >= 3 || NOT_LATIN.test(text))
}

interface Told {
  readonly text: string
  readonly worth: number
}

export interface Decoded {
  readonly text: string
  /** Whether words came to light, or only what may be another layer. */
  readonly words: boolean
}

/** Replaces stretches by what they decode to. */
export class Replacing {
  readonly #text: string
  #out = ''
  #at = 0
  #words = false

  constructor(text: string) {
    this.#text = text
  }

  /** The end of what was replaced last. */
  get at(): number {
    return this.#at
  }

  put(start: number, end: number, plain: string, worth = WORDS): void {
    this.#out += this.#text.slice(this.#at, start) + plain
    this.#at = end
    this.#words ||= worth === WORDS
  }

  done(): Decoded | undefined {
    return this.#at === 0 ? undefined : { text: this.#out + this.#text.slice(this.#at), words: this.#words }
  }
}

const GROUP = /(?:0[xob])?([\da-f]+)/gi
const ROW =
  /(?<![a-z\d])(?:(?:0[xob])?[\da-f]+(?:[\s,;:|\-_/.]{1,3}(?:0[xob])?[\da-f]+(?![a-z\d])){3,}|(?:0[xob])?[\da-f]{12,}(?![a-z\d]))/gi
/** A single group is decoded from this length. */
const LONG_GROUP = 12
const FEWEST_GROUPS = 4

/** Rows of numbers: hex, binary, octal, decimal, and the places of letters in the alphabet. */
export function withoutNumbers(text: string): Decoded | undefined {
  const out = new Replacing(text)
  for (const { 0: match, index } of text.matchAll(ROW)) {
    const groups = [...match.matchAll(GROUP)]
    const gaps = groups.slice(1).map(({ index: at }, before) => {
      const { 0: group, index: from } = groups[before]!
      return match.slice(from + group.length, at)
    })
    const row = groups.map(([, digits]) => digits!)
    const found = rowIn(row, gaps)
    if (found !== undefined) {
      const { first, last, text: plain, worth } = found
      out.put(index + groups[first]!.index, index + groups[last]!.index + groups[last]![0].length, plain, worth)
    } else
      for (const { 0: group, 1: digits, index: at } of groups) {
        const alone = digits!.length >= LONG_GROUP ? ofRow([digits!], []) : undefined
        if (alone !== undefined) out.put(index + at, index + at + group.length, alone.text, alone.worth)
      }
  }
  return out.done()
}

/** A number that belongs to the text around may stand at either end: `1. 48 65 79`. */
const ENDS = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
] as const

function rowIn(row: readonly string[], gaps: readonly string[]): (Told & { first: number; last: number }) | undefined {
  for (const [first, tail] of ENDS) {
    const end = row.length - tail
    const found = end - first < FEWEST_GROUPS ? undefined : ofRow(row.slice(first, end), gaps.slice(first, end - 1))
    if (found !== undefined) return { ...found, first, last: end - 1 }
  }
  return undefined
}

const inBase = (row: readonly string[], base: number): Uint8Array =>
  Uint8Array.from(row, (each) => parseInt(each, base))

function chunks(row: readonly string[], size: number): string[] {
  const joined = row.join('')
  return Array.from({ length: Math.floor(joined.length / size) }, (_, at) => joined.slice(at * size, (at + 1) * size))
}

function ofRow(row: readonly string[], gaps: readonly string[]): Told | undefined {
  const all = (pattern: RegExp): boolean => row.every((group) => pattern.test(group))
  const total = row.reduce((sum, group) => sum + group.length, 0)
  const ways: (string | undefined)[] = []
  if (all(/^[01]+$/)) {
    if (all(/^\d{7}$/) || (row.length === 1 && total % 8 !== 0)) ways.push(textOf(inBase(chunks(row, 7), 2)))
    if (total >= 16) ways.push(textOf(inBase(chunks(row, 8), 2)))
  } else {
    if (all(/^\d{1,3}$/)) {
      const codes = row.map(Number)
      if (codes.every((code) => code < 256)) ways.push(textOf(Uint8Array.from(codes)))
      if (codes.every((code) => code <= 27)) ways.push(alphabet(codes, gaps))
    }
    if (all(/^[0-3]?[0-7]{2}$/)) ways.push(textOf(inBase(row, 8)))
    // A single group may have been cut anywhere, as a stream is.
    if (row.length === 1 && all(/^[0-7]+$/)) ways.push(textOf(inBase(chunks(row, 3), 8)))
    if (row.length === 1 || all(/^(?:[\da-f]{2})+$/i)) ways.push(textOf(Buffer.from(row.join(''), 'hex')))
  }
  let best: Told | undefined
  for (const text of ways) {
    if (text === undefined) continue
    const worth = worthOf(text)
    if (worth > (best?.worth ?? NOTHING)) best = { text, worth }
  }
  return best
}

/** The letters at these places of the alphabet. The rarer sign between two numbers is the one between two words. */
function alphabet(codes: readonly number[], gaps: readonly string[]): string | undefined {
  if (codes.length < 8) return undefined
  const usual = [...new Set(gaps)].sort(
    (a, b) => gaps.filter((g) => g === b).length - gaps.filter((g) => g === a).length,
  )
  let text = ''
  for (const [at, code] of codes.entries()) {
    text += code === 0 || code === 27 ? ' ' : String.fromCharCode(96 + code)
    if (at < gaps.length && gaps[at] !== usual[0]) text += ' '
  }
  return segmented(text) ?? text
}

/** Tokens of base64, base64url and base32, but for words. Lines of mail are of one length, and are read as one. */
const RUN = /(?<![\w+/-])(?![A-Z]?[a-z]{1,23}(?![\w+/=-]))[\w+/-]{6,}(?:\r?\n[\w+/-]{40,})*(?:\r?\n[\w+/-]+)?={0,6}/g
/** What stands between the signs of paths and names. */
const PART_OF_RUN = /[^\r\n/_-]{8,}/g

export function withoutBase64(text: string): Decoded | undefined {
  const out = new Replacing(text)
  for (const { 0: run, index } of text.matchAll(RUN)) {
    const whole = ofRun(run.replace(/[\r\n]/g, ''))
    if (whole !== undefined) {
      out.put(index, index + run.length, whole.text, whole.worth)
      continue
    }
    for (const { 0: part, index: at } of run.matchAll(PART_OF_RUN)) {
      const found = part.length < run.length ? ofRun(part) : undefined
      if (found !== undefined) out.put(index + at, index + at + part.length, found.text, found.worth)
    }
  }
  return out.done()
}

/** A word of small letters alone is far more often a word. */
const WORDLIKE = /^[A-Z]?[a-z]{1,23}$/

function ofRun(run: string): Told | undefined {
  const bare = run.includes('=') ? run.slice(0, run.indexOf('=')) : run
  if ((bare.length % 4 === 1 && bare.length < 40) || (bare.length < 8 && bare === run)) return undefined
  if (WORDLIKE.test(bare)) return undefined
  for (const way of WAYS) {
    const found = opensText(bare, 0, bare.length, way) ? ofBytes(way.read(bare)) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

function ofBytes(bytes: Uint8Array): Told | undefined {
  const text = textOf(bytes)
  if (text === undefined) return undefined
  const worth = worthOf(text)
  return worth === NOTHING ? undefined : { text, worth }
}

/** Writes each letter as the one at another place of the alphabet. */
export const translated =
  (place: (letter: number) => number) =>
  (text: string): string =>
    text.replace(/[a-z]/gi, (letter) => String.fromCharCode(turned(letter.charCodeAt(0), place)))
const turned = (code: number, place: (letter: number) => number): number => (code & 96) + 1 + place((code & 31) - 1)
const byThirteen = (letter: number): number => (letter + 13) % 26

export const reversed = (text: string): string => Array.from(text).reverse().join('')

interface Way {
  readonly backwards?: true
  readonly rotated?: true
  /** The number of each sign, and its bits. */
  readonly values: Uint8Array
  readonly bits: number
  /** What a token of it looks like. */
  readonly form?: RegExp
  read(run: string): Uint8Array
}

function valuesOf(...alphabets: readonly string[]): Uint8Array {
  const values = new Uint8Array(128)
  for (const alphabet of alphabets) for (let at = 0; at < alphabet.length; at++) values[alphabet.charCodeAt(at)] = at
  return values
}

const CAPITALS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const SIXES = `${CAPITALS}${CAPITALS.toLowerCase()}0123456789`
const FIVES = `${CAPITALS}234567`
const BASE64 = { values: valuesOf(`${SIXES}+/`, `${SIXES}-_`), bits: 6 }
const BASE32 = { values: valuesOf(FIVES, FIVES.toLowerCase()), bits: 5 }

/** The ways of reading a token: base64 as it stands, rotated by thirteen letters, and from its end; base32. */
const WAYS: readonly Way[] = [
  { ...BASE64, read: (run) => Buffer.from(run, 'base64') },
  { ...BASE64, rotated: true, read: (run) => Buffer.from(translated(byThirteen)(run), 'base64') },
  { ...BASE64, backwards: true, read: (run) => Buffer.from(reversed(run), 'base64') },
  { ...BASE32, form: /^(?:[A-Z2-7]{8,}|[a-z2-7]{8,})$/, read: base32 },
]

/** Whether a token may be a text in base64 or base32. The first signs of a long one tell. */
export function mayBeText(text: string, start: number, end: number): boolean {
  let first = start
  while (first < end && text[first] === '=') first++
  let last = end
  while (last > first && text[last - 1] === '=') last--
  if (!WAYS.some((way) => opensText(text, first, last, way))) return false
  return last - first > OPENING || ofRun(text.slice(first, end)) !== undefined
}

const HEX_START = /^(?:0[xob])?[\da-f]{12}/i
/** Whether a token may be bytes in hex, binary or octal, as its first digits tell. */
export function mayBeBytes(token: string): boolean {
  if (!HEX_START.test(token)) return false
  const digits = token.replace(/^0[xob]/i, '').slice(0, OPENING)
  if (digits.length < LONG_GROUP || !/^[\da-f]+$/i.test(digits)) return false
  return /^[0-7]+$/.test(digits) || textOf(Buffer.from(digits, 'hex')) !== undefined
}

/** Signs of base64 that tell whether a token is a text. */
const OPENING = 24

/** Whether the first bytes may be those of a text. The bytes of most tokens are not, and cost no more than this. */
function opensText(text: string, start: number, end: number, way: Way): boolean {
  let value = 0
  let bits = 0
  let follow = 0
  for (let at = 0; at < OPENING && at < end - start; at++) {
    let code = text.charCodeAt(way.backwards ? end - 1 - at : start + at)
    if (way.rotated && code >= 65) code = turned(code, byThirteen)
    value = (value << way.bits) | way.values[code & 127]!
    bits += way.bits
    if (bits < 8) continue
    bits -= 8
    const byte = (value >> bits) & 255
    const isFollower = byte >> 6 === 2
    if (isFollower !== follow > 0 || (byte < 32 && byte !== 0 && byte !== 9 && byte !== 10 && byte !== 13)) return false
    follow = isFollower ? follow - 1 : byte < 0xc0 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
  }
  return way.form?.test(text.slice(start, Math.min(end, start + OPENING))) !== false
}

function base32(letters: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((letters.length * 5) / 8))
  let value = 0
  let bits = 0
  let at = 0
  for (let from = 0; from < letters.length; from++) {
    value = ((value << 5) | BASE32.values[letters.charCodeAt(from)]!) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = (value >> bits) & 255
  }
  return bytes
}
