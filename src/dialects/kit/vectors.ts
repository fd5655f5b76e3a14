// Vectors in base64, as embeddings are sent to save space: numbers in the place of a text.
import { Buffer } from 'node:buffer'

const BASE64 = /^[A-Za-z0-9+/]{16,}={0,2}$/
/** Between them lie the coordinates of every embedding, and hardly any four letters read as one number. */
const SMALLEST = 1e-13
const LARGEST = 64

/** Of random bytes a quarter are letters, digits, blanks or dots. */
const MOST_LETTERS = 0.5

/** True for base64 of little-endian 32-bit numbers of an embedding's size, each of them. A text is no such thing. */
export function isVector(text: string): boolean {
  if (!BASE64.test(text)) return false
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length % 4 !== 0 || bytes.toString('base64') !== text) return false
  const letters = bytes.toString('latin1').replace(/[^A-Za-z0-9 .]+/g, '')
  if (letters.length > bytes.length * MOST_LETTERS) return false
  for (let at = 0; at < bytes.length; at += 4) {
    const size = Math.abs(bytes.readFloatLE(at))
    if (size !== 0 && !(size >= SMALLEST && size <= LARGEST)) return false
  }
  return true
}
