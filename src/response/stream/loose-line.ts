// Reads one line of a stream like a client that looks at each line by itself: with or without `data:`, after blanks
// and byte order marks, as an element of an array, or after a type code.
import type { StreamEvent } from '../../dialects/dialect.js'

export interface LooseLine {
  /** `value`: a JSON value that only some clients find. */
  readonly kind: 'data' | 'json' | 'value'
  readonly event: StreamEvent
}

const DATA = /^data:/i
/** Fields of server-sent events, and comments. */
const FIELD = /^(?:data|event|id|retry)?:/i
/** The Vercel AI SDK's data stream protocol (version 4): a type code, a colon and a JSON value. */
const PART = /^([0-9a-z]):(?=["{[\d])/
/** Record separator of RFC 7464. */
const RS = '\u001e'
const NOTHING: StreamEvent = {}
const CLOSING: Readonly<Record<string, string | undefined>> = { '{': '}', '[': ']', '"': '"' }

/** The line without white space and byte order marks around it, and without record separators before it. */
export function bare(line: string): string {
  let text = line.trim()
  while (text.startsWith(RS)) text = text.slice(1).trim()
  return text
}

export function isField(text: string): boolean {
  return FIELD.test(text)
}

/** Undefined for a line that is neither `data:` nor JSON. */
export function looseLine(line: string): LooseLine | undefined {
  const text = bare(line)
  if (DATA.test(text)) return { kind: 'data', event: { data: text.slice(text[5] === ' ' ? 6 : 5) } }
  const event = jsonLine(text)
  return event === undefined ? undefined : { kind: 'json', event }
}

/** Where Python's `str.splitlines` ends a line, and with it httpx's `iter_lines`, which the ollama package reads by. */
const PYTHON_ENDS = new RegExp(`[${['\v', '\f', '\x1c', '\x1d', '\x1e', '\x85', '\u2028', '\u2029'].join('')}]`)

/** The lines within a line that Python takes apart; none where all but the first say nothing. */
export function pythonLines(line: string): readonly LooseLine[] {
  if (!PYTHON_ENDS.test(line)) return []
  const [first = '', ...rest] = line.split(PYTHON_ENDS)
  const others = rest.flatMap((part) => looseLine(part) ?? [])
  return others.length === 0 || (first.trim() === '' && others.length === 1)
    ? []
    : [looseLine(first) ?? [], others].flat()
}

/** A bare line that holds one JSON value, by its first and last character. */
export function jsonLine(text: string): StreamEvent | undefined {
  const code = PART.exec(text)?.[1]
  const value = withoutCommas(code === undefined ? text : text.slice(2))
  if (value === '') return text === '' ? undefined : NOTHING
  const closing = CLOSING[value[0]!]
  // After a type code a number is a value too. Elsewhere it is text.
  if (closing === undefined ? code === undefined : value.length < 2 || !value.endsWith(closing)) return undefined
  return code === undefined ? { data: value } : { data: value, part: code }
}

/** The JSON value that begins on this bare line and does not end on it; undefined when there is none. */
export function opening(text: string): string | undefined {
  const value = withoutCommas(PART.test(text) ? text.slice(2) : text)
  return value[0] === '{' || value[0] === '[' ? value : undefined
}

/** The element without the brackets and commas of the list around it; `''` when nothing else is on the line. */
function withoutCommas(text: string): string {
  let value = text
  if (value.startsWith(',') || (value.startsWith('[') && !value.endsWith(']'))) value = value.slice(1).trimStart()
  if (value.endsWith(',')) value = value.slice(0, -1).trimEnd()
  if (value.endsWith(']') && !value.startsWith('[')) value = value.slice(0, -1).trimEnd()
  return value
}
