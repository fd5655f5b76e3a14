// Reads what a middleware has put on `req.body` in place of plain values: maps, sets, forms, bytes, instances. What
// they hold is read; what does not show what it holds is an error, and never empty.
import { isUtf8 } from 'node:buffer'
import { LlamaGuardError } from '../../errors.js'

const MAX_DEPTH = 256

/** Makes values plain. */
export class PlainValues {
  /** Set when a value does not show what it holds. */
  fault: LlamaGuardError | undefined
  /** Characters of all texts and keys: no more than the bytes they came in. */
  size = 0

  /** The value itself where all of it is plain. */
  of(value: unknown, depth = 0): unknown {
    if (typeof value === 'string') this.size += value.length
    if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value
    if (!Array.isArray(value) && !isPlain(value)) return this.of(this.#held(value), depth + 1)
    const entries = Object.entries(value)
    const plain = entries.map(([name, item]) => [name, this.of(item, depth + 1)] as const)
    if (plain.every(([, item], at) => item === entries[at]![1])) return value
    return Array.isArray(value) ? plain.map(([, item]) => item) : Object.fromEntries(plain)
  }

  #held(value: object): unknown {
    if (value instanceof ArrayBuffer) return this.#text(new Uint8Array(value))
    if (ArrayBuffer.isView(value)) return this.#text(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
    if (value instanceof Date || value instanceof URL) return String(value)
    if (value instanceof String || value instanceof Number || value instanceof Boolean) return value.valueOf()
    const own = Object.entries(value)
    // Maps, sets, forms and headers.
    if (Symbol.iterator in value) return [...(value as Iterable<unknown>), ...own]
    return own.length > 0 ? Object.fromEntries(own) : this.#unseen()
  }

  #text(bytes: Uint8Array): string | undefined {
    return isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8') : this.#unseen()
  }

  #unseen(): undefined {
    this.fault = new LlamaGuardError(
      'unsupported_media_type',
      'The body holds a value whose content cannot be seen, such as a Blob or bytes that are no text; pass text on.',
    )
  }
}

/** True for an object of this realm or another whose class is Object, or that has none. */
export function isPlain(value: object): boolean {
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === null || Object.getPrototypeOf(proto) === null
}
