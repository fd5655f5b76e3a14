// Finds keys that a JSON text names twice in one object: JavaScript keeps the last, other parsers the first.
// So a text with duplicates says different things to us and to the model's server.

const MAX_REPORTED = 16

/** Keys named twice in one object, at most 16 of them. `text` must be valid JSON. */
export function duplicateKeys(text: string): ReadonlySet<string> {
  const found = new Set<string>()
  // An object has a set of its keys, an array has none.
  const open: (Set<string> | undefined)[] = []
  let keyNext = false
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at)
    if (char === 0x22) {
      const end = stringEnd(text, at)
      const keys = open.at(-1)
      if (keyNext && keys !== undefined) note(keys, text.slice(at, end + 1), found)
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
  return found
}

function note(keys: Set<string>, quoted: string, found: Set<string>): void {
  const key = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)
  if (keys.has(key) && found.size < MAX_REPORTED) found.add(key)
  keys.add(key)
}

/** Position of the closing quote. */
function stringEnd(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1
  return at
}
