// Words spelt in the escapes of JSON (`\u0068` for `h`) within a text: whoever parses the text reads the words.

const ESCAPE = /\\u([0-9a-f]{4})/gi

/** The text, and once more with its escapes read where it has any. */
export function withEscapesRead(text: string): string {
  if (!text.includes('\\')) return text
  const read = text.replace(ESCAPE, (_escape, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return read === text ? text : `${text}\n${read}`
}
