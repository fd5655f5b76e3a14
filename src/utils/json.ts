// Helpers for JSON. This file imports nothing, so that every other file may use it.

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** True for an object of this realm or another whose class is Object, or that has none. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (!isObject(value)) return false
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === null || Object.getPrototypeOf(proto) === null
}

/** The value of a JSON text; undefined for any other. The parser's error is dropped, because it quotes the text. */
export function parsedJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

const ESCAPE = /\\u([0-9a-f]{4})/gi

/**
 * The text, and once more with its escapes read where it has any: words spelt in the escapes of JSON (`\u0068` for
 * `h`), which whoever parses the text reads.
 */
export function withEscapesRead(text: string): string {
  if (!text.includes('\\')) return text
  const read = text.replace(ESCAPE, (_escape, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return read === text ? text : `${text}\n${read}`
}

/** The text itself; empty for any other value. `String()` throws for an object whose `toString` is no function. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
