// Decodes base64 and base32, and tells whether the decoded bytes are a text with words that a guard should see.
import { Buffer } from 'node:buffer'
import { readingOf, segmented } from './words.js'

/** Controls, private use (above, its first halves from \udb80 on), and what stands for bytes that are no text. */
const UNPRINTABLE = /[^\t\n\r -~\udc00-\udfff\u00a0-\udb7f\uf900-\ufffc\ufffe\uffff]/
/** Bytes that tell whether the others are a text. */
const SAMPLE = 24

/** The text of these bytes, when they are one. A text that was cut, as a stream is, may end within a character. */
export function textOf(bytes: Uint8Array): string | undefined {
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
  const { words, share } = readingOf(text, 2_000)
  if (words >= 2 && share >= 0.55) return true
  if (words >= 1 && share > 0.95 && text.length >= 4) return true
  const foreign = text.match(FOREIGN) ?? []
  const letters = foreign.reduce((sum, word) => sum + word.length, 0)
  const running = / \p{L}+ /u.test(text) || NOT_LATIN.test(text)
  return running && letters >= 12 && letters >= text.length * 0.65 && (foreign.length >= 3 || NOT_LATIN.test(text))
}

export interface Told {
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

/**
 * Tokens of base64, base64url and base32, but for words. Lines of mail are of one length, and are read as one, also
 * where their breaks are escaped as in JSON.
 */
const RUN =
  /(?:(?<![\w+/\\-])|(?<=\\[nr])|(?<=\\)(?![nr]))(?![A-Z]?[a-z]{1,23}(?![\w+/=-]))[\w+/-]{6,}(?:(?:\\r|\r)?(?:\\n|\n)[\w+/-]{40,})*(?:(?:\\r|\r)?(?:\\n|\n)[\w+/-]+)?={0,6}/g
/** What stands between the signs of paths and names. */
const PART_OF_RUN = /[^\r\n/_-]{8,}/g

export function withoutBase64(text: string): Decoded | undefined {
  const out = new Replacing(text)
  for (const { 0: run, index } of text.matchAll(RUN)) {
    const whole = ofRun(/[\n\\]/.test(run) ? run.replace(/\\[rn]|[\r\n]/g, '') : run)
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

/** Signs of base64 that tell whether a token is a text. */
export const OPENING = 24

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
