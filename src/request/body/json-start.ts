// Tells from the first bytes of a body whether it begins like JSON, after everything that a handler may strip before
// it parses. It looks at each byte once, however small the pieces are.
import { unsupported } from './media-type.js'

/** The character that decoders put in place of bytes they cannot read. */
const REPLACEMENT = 0xfffd
const QUOTE = 0x22
const BACKSLASH = 0x5c
const NO_CHARACTER = 0x110000
const OPENING = new Set([0x7b, 0x5b])
/** Enough bytes to recognise a wide charset by its byte order mark or its zero bytes. */
const HEAD_BYTES = 64

/** True for what `trim()` removes and for control characters. Handlers strip both. */
function isBlank(code: number): boolean {
  if (code <= 0x20 || (code >= 0x7f && code <= 0xa0)) return true
  return (
    code === 0xfeff ||
    code === REPLACEMENT ||
    code === 0x3000 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f
  )
}

/** The text without blanks, byte order marks and control characters around it. */
export function trimmed(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start += 1
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

/** Looks for the beginning of JSON in a body that may come in pieces. */
export class JsonStart {
  #head: Uint8Array = new Uint8Array(0)
  /** The bytes so far of a UTF-8 character that is split between pieces. */
  #code = 0
  #missing = 0
  /** True after a first quote. A JSON text inside a JSON string goes on with a brace, a bracket or an escaped quote. */
  #quoted = false
  #answer: boolean | undefined

  /** True when JSON begins, false when something else does, undefined after blanks only. */
  get answer(): boolean | undefined {
    return this.#answer
  }

  /** @throws LlamaGuardError 415 for UTF-16 and UTF-32. */
  add(bytes: Uint8Array): boolean | undefined {
    if (this.#head.length < HEAD_BYTES) {
      const more = bytes.subarray(0, HEAD_BYTES - this.#head.length)
      this.#head = this.#head.length === 0 ? more : Buffer.concat([this.#head, more])
      refuseWideText(this.#head)
    }
    for (let at = 0; at < bytes.length && this.#answer === undefined; at += 1) this.#answer = this.#look(bytes[at]!)
    return this.#answer
  }

  #look(byte: number): boolean | undefined {
    const code = this.#character(byte)
    if (code === undefined || isBlank(code)) return undefined
    if (OPENING.has(code)) return true
    if (this.#quoted) return code === BACKSLASH
    this.#quoted = code === QUOTE
    return this.#quoted ? undefined : false
  }

  /** The character that ends with this byte, in UTF-8 or, for blanks, in Latin-1. */
  #character(byte: number): number | undefined {
    if (this.#missing > 0) {
      if ((byte & 0xc0) !== 0x80) return NO_CHARACTER
      this.#code = (this.#code << 6) | (byte & 0x3f)
      this.#missing -= 1
      return this.#missing === 0 ? this.#code : undefined
    }
    if (byte <= 0xa0) return byte
    // No blank takes four bytes.
    if (byte < 0xc2 || byte > 0xef) return NO_CHARACTER
    this.#missing = byte < 0xe0 ? 1 : 2
    this.#code = byte < 0xe0 ? byte & 0x1f : byte & 0x0f
    return undefined
  }
}

/**
 * True when JSON begins in these bytes.
 * @throws LlamaGuardError 415 for UTF-16 and UTF-32.
 */
export function looksLikeJson(bytes: Uint8Array): boolean | undefined {
  return new JsonStart().add(bytes)
}

/** Refuses JSON with two or four bytes a character, with or without a byte order mark, after blanks or not. */
function refuseWideText(head: Uint8Array): void {
  const mark = (head[0] === 0xfe && head[1] === 0xff) || (head[0] === 0xff && head[1] === 0xfe)
  if (mark || [2, 4].some((width) => [0, 1].some((end) => beginsWideJson(head, width, end === 0))))
    throw unsupported('The body is in UTF-16 or UTF-32; send UTF-8')
}

function beginsWideJson(head: Uint8Array, width: number, littleEndian: boolean): boolean {
  const codes: number[] = []
  for (let at = 0; at + width <= head.length; at += width) {
    let code = 0
    for (let byte = 0; byte < width; byte += 1)
      code = code * 256 + head[littleEndian ? at + width - 1 - byte : at + byte]!
    codes.push(code)
  }
  const at = codes.findIndex((code) => !isBlank(code))
  const next = codes[at + 1] ?? NO_CHARACTER
  // Binary data that begins with a length may look like one wide character, but rarely like two.
  return OPENING.has(codes[at] ?? 0) ? next < 0x80 : codes[at] === QUOTE && (OPENING.has(next) || next === BACKSLASH)
}
