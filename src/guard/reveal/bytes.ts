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
/** Four groups in a row, or a long one. */
const ROW =
  /(?<![a-z\d])(?:(?:0[xob])?[\da-f]+(?:[\s,;:|\-_/.]{1,3}(?:0[xob])?[\da-f]+(?![a-z\d])){3,}|(?:0[xob])?[\da-f]{12,}(?![a-z\d]))/gi
/** A single group is decoded from this length. */
const LONG_GROUP = 12
const FEWEST_GROUPS = 4

/** Rows of numbers: hex, binary, octal, decimal, and the places of letters in the alphabet. */
export function withoutNumbers(text: string): Decoded | undefined {
  const out = new Replacing(text)
  for (const { 0: match, index } of text.matchAll(ROW)) {
    const row: Group[] = []
    const gaps: string[] = []
    for (const { 0: group, 1: digits, index: at } of match.matchAll(GROUP)) {
      if (row.length > 0) gaps.push(match.slice(row.at(-1)!.end - index, at))
      row.push({ digits: digits!, start: index + at, end: index + at + group.length })
    }
    const found = row.length >= FEWEST_GROUPS ? ofRow(row, gaps) : undefined
    if (found !== undefined) out.put(index, index + match.length, found.text, found.worth)
    else
      for (const group of row) {
        const alone = group.digits.length >= LONG_GROUP ? ofRow([group], []) : undefined
        if (alone !== undefined) out.put(group.start, group.end, alone.text, alone.worth)
      }
  }
  return out.done()
}

interface Group {
  readonly digits: string
  readonly start: number
  readonly end: number
}

const inBase = (row: readonly string[], base: number): Uint8Array =>
  Uint8Array.from(row, (each) => parseInt(each, base))

function chunks(row: readonly string[], size: number): string[] {
  const joined = row.join('')
  return Array.from({ length: Math.floor(joined.length / size) }, (_, at) => joined.slice(at * size, (at + 1) * size))
}

function ofRow(groups: readonly Group[], gaps: readonly string[]): { text: string; worth: number } | undefined {
  const row = groups.map(({ digits }) => digits)
  const all = (pattern: RegExp): boolean => row.every((group) => pattern.test(group))
  const total = row.reduce((sum, group) => sum + group.length, 0)
  const ways: (string | undefined)[] = []
  if (all(/^[01]+$/)) {
    if (all(/^\d{7}$/) || (row.length === 1 && total % 8 !== 0)) ways.push(textOf(inBase(chunks(row, 7), 2)))
    else if (total >= 16) ways.push(textOf(inBase(chunks(row, 8), 2)))
  } else {
    if (all(/^\d{1,3}$/)) {
      const codes = row.map(Number)
      if (codes.every((code) => code < 256)) ways.push(textOf(Uint8Array.from(codes)))
      if (codes.every((code) => code <= 27)) ways.push(alphabet(codes, gaps))
    }
    if (all(/^[0-3]?[0-7]{2}$/)) ways.push(textOf(inBase(row, 8)))
    if (row.length === 1 && all(/^[0-7]+$/) && total % 3 === 0) ways.push(textOf(inBase(chunks(row, 3), 8)))
    if (all(/^(?:[\da-f]{2})+$/i)) ways.push(textOf(Buffer.from(row.join(''), 'hex')))
  }
  let best: { text: string; worth: number } | undefined
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

/**
 * Tokens of base64, base64url and base32, but for words. Lines of mail are of one length, and are read as one.
 */
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
const BASE32 = /^(?:[A-Z2-7]{8,}|[a-z2-7]{8,})$/

function ofRun(run: string): { text: string; worth: number } | undefined {
  const bare = run.includes('=') ? run.slice(0, run.indexOf('=')) : run
  if ((bare.length % 4 === 1 && bare.length < 40) || (bare.length < 8 && bare === run)) return undefined
  if (WORDLIKE.test(bare)) return undefined
  for (const way of WAYS) {
    if (!opensText(bare, 0, bare.length, way)) continue
    const found = ofBytes(Buffer.from(way.read(bare), 'base64'))
    if (found !== undefined) return found
  }
  return BASE32.test(bare) ? ofBytes(base32(bare)) : undefined
}

function ofBytes(bytes: Uint8Array): { text: string; worth: number } | undefined {
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
  read(run: string): string
}
/** The ways of reading a token: as it stands, rotated by thirteen letters, and from its end. */
const WAYS: readonly Way[] = [
  { read: (run) => run },
  { rotated: true, read: translated(byThirteen) },
  { backwards: true, read: reversed },
]

/** Whether a token may be a text in base64 or base32. The first signs of a long one tell. */
export function mayBeText(text: string, start: number, end: number): boolean {
  let first = start
  while (first < end && text[first] === '=') first++
  let last = end
  while (last > first && text[last - 1] === '=') last--
  const opening = text.slice(first, Math.min(last, first + OPENING))
  const opens = WAYS.some((way) => opensText(text, first, last, way))
  if (last - first <= OPENING) return (opens || BASE32.test(opening)) && ofRun(text.slice(first, end)) !== undefined
  return opens || (BASE32.test(opening) && ofBytes(base32(opening)) !== undefined)
}

/** Whether a token may be bytes in hex, binary or octal, as its first digits tell. */
export function mayBeBytes(token: string): boolean {
  const digits = token.replace(/^0[xob]/i, '').slice(0, OPENING)
  if (digits.length < LONG_GROUP || !/^[\da-f]+$/i.test(digits)) return false
  return /^[0-7]+$/.test(digits) || textOf(Buffer.from(digits, 'hex')) !== undefined
}

const SIXES = new Uint8Array(128)
for (const last of ['+/', '-_'])
  for (const [value, sign] of Array.from(
    `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${last}`,
  ).entries())
    SIXES[sign.charCodeAt(0)] = value

/** Signs of base64 that tell whether a token is a text. */
const OPENING = 24

/** Whether the first bytes may be those of a text. The bytes of most tokens are not, and cost no more than this. */
function opensText(text: string, start: number, end: number, way: Way): boolean {
  let bits = 0
  let follow = 0
  for (let at = 0; at < OPENING && at < end - start; at++) {
    let code = text.charCodeAt(way.backwards ? end - 1 - at : start + at)
    if (way.rotated && code >= 65) code = turned(code, byThirteen)
    bits = (bits << 6) | SIXES[code & 127]!
    if (at % 4 === 0) continue
    const byte = (bits >> (6 - 2 * (at % 4))) & 255
    const isFollower = byte >> 6 === 2
    if (isFollower !== follow > 0 || (byte < 32 && byte !== 0 && byte !== 9 && byte !== 10 && byte !== 13)) return false
    follow = isFollower ? follow - 1 : byte < 0xc0 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
  }
  return true
}

function base32(letters: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((letters.length * 5) / 8))
  let bits = 0
  let value = 0
  let at = 0
  for (const letter of letters.toUpperCase()) {
    value = ((value << 5) | 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = (value >> bits) & 255
  }
  return bytes
}
