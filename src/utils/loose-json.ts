// Reads JSON as lenient clients do: many trim white space that is none to JSON, such as a byte order mark, and Python's
// `json` takes and writes NaN and Infinity.

export interface Parsed {
  readonly value: unknown
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Python's words for numbers that JSON has not. */
const NUMBER = /-?(?:NaN|Infinity)/y

/** The value of a JSON text; undefined when no client reads it as JSON. */
export function parseLoosely(text: string): Parsed | undefined {
  return parse(text) ?? parse(text.trim()) ?? (/NaN|Infinity/.test(text) ? parse(withoutWords(text.trim())) : undefined)
}

/** The text with `null` for each such number outside of strings. */
function withoutWords(text: string): string {
  const pieces: string[] = []
  let copied = 0
  let inString = false
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (inString && code === BACKSLASH) at += 1
    else if (code === QUOTE) inString = !inString
    else if (!inString) {
      NUMBER.lastIndex = at
      const found = NUMBER.exec(text)?.[0]
      if (found === undefined) continue
      pieces.push(text.slice(copied, at), 'null')
      copied = at + found.length
      at = copied - 1
    }
  }
  return pieces.join('') + text.slice(copied)
}

function parse(text: string): Parsed | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}
