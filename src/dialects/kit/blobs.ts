// Recognises encrypted or signed data, which only the vendor can read and which may go unjudged.
import { Buffer } from 'node:buffer'
import { HEX, hidesBytes, longestText } from './hidden-text.js'
import { mostLiked } from './letter-pairs.js'

const BLOB_SLICE = 60_000
const BLOB = /^[A-Za-z0-9+/_-]{32,131072}={0,2}$/

/** Window widths, and the most frequent pairs that a window may hold. Measured on 80 kB of random base64. */
const LONG_WINDOWS = [
  [96, 0.7],
  [48, 0.8],
] as const
const SHORT_WINDOWS = [
  [48, 0.66],
  [16, 0.8],
] as const

/**
 * True for encrypted or signed data of a vendor: base64 that holds neither words nor a text in base64 or hex. At most
 * 128 KiB.
 */
export function isBlob(text: string): boolean {
  if (!BLOB.test(text)) return false
  const letters = text.replace(/[-_+/=]/g, '')
  if (letters.length < 24) return false
  const windows = letters.length > 96 ? LONG_WINDOWS : SHORT_WINDOWS
  for (const [width, most] of windows)
    if (mostLiked(letters, width) > Math.min(width, letters.length - 1) * most) return false
  if (HEX.test(letters.slice(0, 64)) && hidesBytes(letters, 'hex')) return false
  return longestText(Buffer.from(text, 'base64')) < Math.min(48, text.length / 4)
}

/** Such data of any length. */
export function isBlobOfAnyLength(text: string): boolean {
  for (let at = 0; at === 0 || at < text.length; at += BLOB_SLICE) {
    // The last slice takes the rest with it where that would be too short to tell.
    const last = text.length - at < BLOB_SLICE * 2
    if (!isBlob(last ? text.slice(at) : text.slice(at, at + BLOB_SLICE))) return false
    if (last) return true
  }
  return true
}
