// Reads the records of a file, each with the line on which it begins: one JSON object a line, a JSON array, or CSV.
import { csvEntries } from './csv.js'
import type { Fields } from './formats.js'
import { BrokenInput, type Entry } from './read-file.js'

export function entriesOf(text: string, csv: boolean): Iterable<Entry> {
  if (csv) return csvEntries(text)
  return text.trimStart().startsWith('[') ? arrayEntries(text) : lineEntries(text)
}

function* lineEntries(text: string): Generator<Entry> {
  let line = 1
  for (let start = 0; start < text.length; line++) {
    const feed = text.indexOf('\n', start)
    const end = feed < 0 ? text.length : feed
    const json = text.slice(start, end)
    start = end + 1
    if (json.trim() === '') continue
    yield {
      fields: objectOf(json, line, 'one JSON object a line, a JSON array, or a .csv file with a header line'),
      line,
    }
  }
}

/** The elements are parsed one by one, because an error of the whole array would not name a line. */
function* arrayEntries(text: string): Generator<Entry> {
  let line = 1
  let depth = 0
  let start = -1
  let begun = 1
  let quoted = false
  let closed = false
  let comma = false
  const wanted = 'JSON objects in the array, with a comma between two of them'
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\n') line++
    if (quoted) {
      if (character === '\\') at++
      else if (character === '"') quoted = false
      continue
    }
    if (character === ' ' || character === '\n' || character === '\r' || character === '\t') continue
    if (closed) throw new BrokenInput(line, 'something follows the end of the JSON array. Remove it.')
    if (depth === 0) {
      depth = 1
      continue
    }
    const between = depth === 1 && (character === ',' || character === ']')
    if (between) {
      if (start >= 0) yield { fields: objectOf(text.slice(start, at), begun, wanted), line: begun }
      else if (character === ',' || comma) throw new BrokenInput(line, 'a comma with nothing beside it. Remove it.')
      start = -1
      comma = character === ','
      closed = character === ']'
      continue
    }
    if (start < 0) {
      start = at
      begun = line
    }
    if (character === '"') quoted = true
    else if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
  }
  if (!closed)
    throw new BrokenInput(
      start < 0 ? line : begun,
      'the JSON array ends before it is closed: the file was cut off. Make it again, or close the array with ].',
    )
}

function objectOf(json: string, line: number, wanted: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw new BrokenInput(line, `not JSON. Wanted: ${wanted}.`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  const kind = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`
  throw new BrokenInput(line, `${kind} where an object is wanted. Wanted: ${wanted}.`)
}
