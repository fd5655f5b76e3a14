// Finds text that stands in codes: bytes in hex or base64, and lists of character codes.
import { Buffer } from 'node:buffer'
import { isDigit, liked } from './letter-pairs.js'

/** 8 to 64 hex digits of one case. */
export const HEX = /^(?:[0-9a-f]{8,64}|[0-9A-F]{8,64})$/

/** True when hex or base64 hides a text: several bytes in a row are characters of a text, wherever they start. */
export function hidesBytes(text: string, encoding: 'hex' | 'base64'): boolean {
  const starts = encoding === 'hex' ? 2 : 4
  for (let start = 0; start < starts; start += 1)
    if (longestText(Buffer.from(text.slice(start), encoding)) >= (encoding === 'hex' ? 6 : 7)) return true
  return false
}

/** The length of the longest run of letters, digits, blanks and dots. */
export function longestText(bytes: Uint8Array): number {
  let longest = 0
  let run = 0
  for (const byte of bytes) {
    const letter = byte | 0x20
    run = (letter >= 0x61 && letter <= 0x7a) || isDigit(byte) || byte === 0x20 || byte === 0x2e ? run + 1 : 0
    if (run > longest) longest = run
  }
  return longest
}

/** True when the numbers are character codes that spell words. */
export function spellsWords(codes: readonly number[]): boolean {
  const letters = codes
    .filter((code) => (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a))
    .map((code) => String.fromCharCode(code))
    .join('')
  return (
    letters.length >= 8 &&
    letters.length > codes.length * 0.7 &&
    liked(letters, 0, letters.length - 1) >= (letters.length - 1) * 0.65
  )
}
