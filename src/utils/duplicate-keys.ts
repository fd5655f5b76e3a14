// Finds keys that a JSON text names twice in one object: JavaScript keeps the last, other parsers the first.
// So a text with duplicates says different things to us and to the model's server.

const MANY_KEYS = 10_000

const NONE: ReadonlySet<string> = new Set()

/** Stands between a key and its number in {@link withEveryKey}. */
export const REPEATED = '\0'

/**
 * Keys named twice in one object. `text` must be valid JSON; `value`, what JSON.parse made of it, spares most of
 * the work.
 */
export function duplicateKeys(text: string, value?: unknown): ReadonlySet<string> {
  // Of a key named twice the value has one: as many keys in both are no duplicates, and counting costs far
  // less than comparing, while there are few.
  if (value !== undefined) {
    const count = keysIn(text)
    if (count < MANY_KEYS && count === keysOf(value)) return NONE
  }
  const found = new Set<string>()
  eachRepeatedKey(text, (key) => found.add(key))
  return found
}

/** The value of a JSON text, with a NUL and a number behind each key that its object has named before. */
export function withEveryKey(text: string): unknown {
  const pieces: string[] = []
  let copied = 0
  eachRepeatedKey(text, (_key, closingQuote) => {
    pieces.push(text.slice(copied, closingQuote), `\\u0000${pieces.length}`)
    copied = closingQuote
  })
  return JSON.parse(pieces.join('') + text.slice(copied))
}

function eachRepeatedKey(text: string, tell: (key: string, closingQuote: number) => void): void {
  // An object has a set of its keys, an array has none.
  const open: (Set<string> | undefined)[] = []
  let keyNext = false
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at)
    if (char === 0x22) {
      const end = stringEnd(text, at)
      const keys = open.at(-1)
      if (keyNext && keys !== undefined) {
        const key = unquoted(text.slice(at, end + 1))
        if (keys.has(key)) tell(key, end)
        keys.add(key)
      }
      keyNext = false
      at = end
    } else if (char === 0x7b) {
      open.push(new Set())
      keyNext = true
    } else if (char === 0x5b) {
      open.push(undefined)
      keyNext = false
    } else if (char === 0x7d || char === 0x5d) {
      open.pop()
      keyNext = false
    } else if (char === 0x2c) {
      keyNext = open.at(-1) !== undefined
    }
  }
}

/** Strings that a colon follows. */
function keysIn(text: string): number {
  let count = 0
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at)) {
    at = closingQuote(text, at) + 1
    let next = text.charCodeAt(at)
    while (next === 0x20 || next === 0x0a || next === 0x0d || next === 0x09) next = text.charCodeAt(++at)
    if (next === 0x3a) count += 1
  }
  return count
}

function closingQuote(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); ; at = text.indexOf('"', at + 1)) {
    if (at === -1) return text.length
    let slashes = 0
    while (text.charCodeAt(at - 1 - slashes) === 0x5c) slashes += 1
    if (slashes % 2 === 0) return at
  }
}

/** Keys of all objects in a value. Without recursion: nesting is the sender's choice. */
function keysOf(value: unknown): number {
  let count = 0
  const pending: unknown[] = [value]
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next !== 'object' || next === null) continue
    const inner: unknown[] = Array.isArray(next) ? next : Object.values(next)
    if (!Array.isArray(next)) count += inner.length
    for (const child of inner) if (typeof child === 'object' && child !== null) pending.push(child)
  }
  return count
}

function unquoted(quoted: string): string {
  return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)
}

/** Position of the closing quote. */
function stringEnd(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1
  return at
}
