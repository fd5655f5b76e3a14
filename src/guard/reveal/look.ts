// One quick look at a text: which kinds of disguise it may hold. Most texts hold none, and nothing more is done.
import { KNOWN, MIXED, NUMBER, STRANGE, Tokens, UNKNOWN } from './words.js'

/** Escapes of URLs, HTML, JSON and mail. */
export const ESCAPES = 1
/** Signs outside ASCII that may look like, or stand on, letters of ASCII. */
export const LOOK_ALIKES = 2
/** Letters that stand apart. */
export const APART = 4
/** Rows of numbers. */
export const NUMBERS = 8
/** Long tokens that may be base64 or base32. */
export const LONG = 16
/** Many dots and dashes. */
export const MORSE = 32
/** Digits in words. */
export const LEET = 64
/** Several words in a row that nobody knows. */
export const UNREADABLE = 128

const FEW = 3
/** Dots and dashes of the shortest message in Morse code. */
const MORSE_MARKS = 12
/** What an unknown word adds to the doubt, and a known one takes from it; and the doubt that is enough. */
const DOUBT = 2
const ENOUGH = 8
/** The shortest token that may be base64, and the shortest without digits or capitals inside. */
const SHORT = 8
const LONG_WORD = 16

const isMark = (code: number): boolean =>
  code === 0x2e ||
  code === 0x2d ||
  code === 0x5f ||
  code === 0xb7 ||
  code === 0x2022 ||
  code === 0x2212 ||
  code === 0x2013

export function look(text: string): number {
  const tokens = new Tokens(text)
  let found = 0
  let doubt = 0
  let apart = 0
  let numbers = 0
  let mixed = 0
  let marks = 0
  let before = 0
  let knowns = 0
  let unknowns = 0
  while (tokens.next()) {
    const { kind, start, end } = tokens
    const size = end - start
    // Signs between two tokens. A row of marks is a line of a table, and more of them are no Morse code.
    for (let at = Math.max(before, start - 64); at < start; at++) if (isMark(text.charCodeAt(at))) marks++
    before = end
    // `a` and `I` stand in texts of every kind.
    if (kind === KNOWN && size > 1) doubt = Math.max(0, doubt - DOUBT)
    else if (kind !== KNOWN) doubt += kind === NUMBER ? 1 : DOUBT
    if (size > 1 && kind === KNOWN) knowns++
    else if (size > 1 && kind !== NUMBER) unknowns++
    if (doubt >= ENOUGH) found |= UNREADABLE
    apart = size === 1 ? apart + 1 : 0
    if (apart > FEW) found |= APART
    if (kind === KNOWN) {
      numbers = 0
      continue
    }
    numbers = size <= 10 && (kind === NUMBER || kind === MIXED || size <= 2) ? numbers + 1 : 0
    if (numbers > FEW) found |= NUMBERS
    if (kind === NUMBER && size >= LONG_WORD) found |= NUMBERS
    else if (kind === MIXED) {
      if (++mixed >= FEW) found |= LEET | ESCAPES
      if (size >= SHORT) found |= LONG | ESCAPES | NUMBERS
    } else if (kind === UNKNOWN && (size >= LONG_WORD || (size >= SHORT && tokens.camel))) found |= LONG
    else if (kind === STRANGE) found |= LOOK_ALIKES
  }
  for (let at = Math.max(before, text.length - 64); at < text.length; at++) if (isMark(text.charCodeAt(at))) marks++
  if (marks >= MORSE_MARKS) found |= MORSE
  if (unknowns >= FEW && unknowns > knowns) found |= UNREADABLE
  return found
}
