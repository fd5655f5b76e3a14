// Decodes what is written in rows of numbers: hex, binary, octal, decimal, places in the alphabet.
import { Buffer } from 'node:buffer'
import { type Decoded, mayBeText, NOTHING, OPENING, Replacing, textOf, type Told, worthOf } from './bytes.js'
import { segmented, type Tokens, UNKNOWN } from './words.js'

const GROUP = /(?:0[xob])?([\da-f]+)/gi
const ROW =
  /(?:(?<![a-z\d])|(?<=\\[nr]))(?:(?:0[xob])?[\da-f]+(?:[\s,;:|\-_/.]{1,3}(?:0[xob])?[\da-f]+(?![a-z\d])){3,}|(?:0[xob])?[\da-f]{12,}(?![a-z\d]))/gi
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

/** Reads a row. A number that belongs to the text around may stand at either end: `1. 48 65 79`. */
function rowIn(row: readonly string[], gaps: readonly string[]): (Told & { first: number; last: number }) | undefined {
  for (const ends of [0, 1, 2, 3]) {
    const first = ends & 1
    const end = row.length - (ends >> 1)
    const found = end - first < FEWEST_GROUPS ? undefined : ofRow(row.slice(first, end), gaps.slice(first, end - 1))
    if (found !== undefined) return { ...found, first, last: end - 1 }
  }
  return undefined
}

const inBase = (row: readonly string[], base: number): Uint8Array => Uint8Array.from(row, (one) => parseInt(one, base))

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

const HEX_START = /^(?:0[xob])?[\da-f]{12}/i
/** Whether a token may be bytes in hex, binary or octal, as its first digits tell. */
function mayBeBytes(token: string): boolean {
  if (!HEX_START.test(token)) return false
  const digits = token.replace(/^0[xob]/i, '').slice(0, OPENING)
  if (digits.length < LONG_GROUP || !/^[\da-f]+$/i.test(digits)) return false
  return /^[0-7]+$/.test(digits) || textOf(Buffer.from(digits, 'hex')) !== undefined
}

/** The shortest row of letters and digits that may be encoded, and the shortest without digits or capitals inside. */
const SHORT = 8
const LONG_WORD = 16
/** Characters that tell whether a row is bytes: `0x` and two digits a byte. */
const LOOKED_AT = 2 * OPENING

const isDigit = (code = 0): boolean => code >= 48 && code <= 57
const isLetter = (code = 0): boolean => (code | 32) >= 97 && (code | 32) <= 122

/**
 * Whether a token has a row of letters and digits that may be base64 or base32, which adds `bytes`, or hex, binary or
 * octal, which adds `numbers`. Other signs may stand around a row: `q=aGVs`, `atob('aGVs')`.
 */
export function encodedIn(token: Tokens, bytes: number, numbers: number): number {
  const { text, units, start, end } = token
  // A word has neither. Without this, 10 kB of code take 112 us and not 99.
  if (token.kind === UNKNOWN && !token.camel && end - start < LONG_WORD && token.small >= end - start - 1) return 0
  let found = 0
  for (let at = start; end - at >= SHORT; at++) {
    // Tokens of Chinese are as long as sentences. Without this, 9 kB take 120 us and not 75.
    while (at < end && units[at]! > 127) at++
    // A line break of JSON: `\naGVs`.
    if (units[at - 1] === 92 && (units[at] === 110 || units[at] === 114)) at++
    const first = at
    let [digits, capitals] = [0, 0]
    for (let code; at < end && (isLetter((code = units[at]!)) || isDigit(code) || code === 43); at++) {
      if (isDigit(code)) digits++
      else if (code < 97) capitals++
    }
    while (at < end && at > first && units[at] === 61) at++
    const size = at - first
    if (size > 0) at--
    if (size < SHORT) continue
    // Few texts in base64 have no capital. A name begins with one.
    const isWord = capitals === 0 || (capitals === 1 && digits === 0 && units[first]! < 97)
    if ((!isWord || size >= LONG_WORD) && mayBeText(text, first, first + size)) found |= bytes
    if (digits > 0 && size >= LONG_GROUP && mayBeBytes(text.slice(first, first + LOOKED_AT))) found |= numbers
  }
  return found
}
