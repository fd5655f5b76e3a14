// Finds the JSON values that some clients read where the standard sees lines that are none. Clients that end lines at
// LF alone (those in Go, @ag-ui/client), that take `data:` off an event once (@google/genai), or that join the lines of
// an event with nothing between (LangGraph's) read on over lines. Decoders of JSON read several values on one.
import { LlamaGuardError } from '../../errors.js'
import { parseLoosely } from '../../utils/loose-json.js'
import { bare, jsonLine } from './loose-line.js'

/** More than any client keeps of one value. */
const MAX_CHARS = 1024 * 1024

const QUOTE = 0x22
const BRACKET = 0x5b
const BACKSLASH = 0x5c
const BRACE = 0x7b
const CLOSE_BRACKET = 0x5d
const CLOSE_BRACE = 0x7d
/** Has a 1 at each character of JSON outside of strings: blanks, signs, numbers, letters of its and Python's words. */
const MAY_STAND = new Uint8Array(0x80)
for (const sign of ' \t\r\n\u001e,:+-.0123456789EINaefilnrstuy') MAY_STAND[sign.charCodeAt(0)] = 1
const BOM = 0xfeff
const PREFIX = /^[\s\uFEFF]*(?:data: ?)?/i
/** A comment, or a field that is not `data`. */
const OTHER_FIELD = /^(?:event|id|retry)?:/i
/** Needs one instance per stream. */
export class SpanningValues {
  /** A line that no client reads with others so far. */
  #alone: string | undefined
  /** The lines so far of a value that has not ended. */
  #lines: string[] = []
  #chars = 0
  #depth = 0
  #inString = false

  /** A blank line that ends the event to every client. */
  end(): void {
    this.#alone = undefined
    this.#drop()
  }

  /**
   * Returns the values that end on this line, but for a value that is all of it. `last`: where every client ends the
   * line, so that it is looked at only when another one follows.
   */
  read(line: string, last: boolean): readonly string[] {
    const alone = this.#alone
    this.#alone = undefined
    if (OTHER_FIELD.test(line)) {
      this.#alone = alone
      return []
    }
    if (last && alone === undefined && this.#lines.length === 0 && !holdsSeveral(line)) {
      this.#alone = line
      return []
    }
    return alone === undefined ? this.#add(line) : [...this.#add(alone), ...this.#add(line)]
  }

  #add(line: string): string[] {
    const text = line.replace(PREFIX, '')
    const values: string[] = []
    let from = 0
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      if (this.#inString) {
        if (code === BACKSLASH) at += 1
        else if (code === QUOTE) this.#inString = false
      } else if (this.#depth === 0) {
        // A bracket within a text is no list.
        if (code !== BRACE && (code !== BRACKET || at > 0)) continue
        from = at
        this.#depth = 1
      } else if (code === QUOTE) this.#inString = true
      else if (code === BRACE || code === BRACKET) this.#depth += 1
      else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
        this.#depth -= 1
        if (this.#depth > 0) continue
        const lines = [...this.#lines, text.slice(from, at + 1)]
        this.#drop()
        const value = lines.length > 1 || at - from + 1 < text.length ? valueOf(lines) : undefined
        if (value !== undefined) values.push(value)
      } else if (MAY_STAND[code] !== 1 && code !== BOM) this.#drop()
    }
    if (this.#depth > 0) this.#keep(text.slice(this.#lines.length > 0 ? 0 : from))
    return values
  }

  #keep(text: string): void {
    this.#lines.push(text)
    this.#chars += text.length
    if (this.#chars > MAX_CHARS)
      throw new LlamaGuardError('unreadable_response', 'A JSON value of the stream goes on over more lines than fit.')
  }

  #drop(): void {
    if (this.#lines.length > 0) this.#lines = []
    this.#chars = 0
    this.#depth = 0
    this.#inString = false
  }
}

/** True when a value may stand behind another one, or behind a second `data:`. */
function holdsSeveral(line: string): boolean {
  for (let at = line.indexOf('{', 7); at !== -1; at = line.indexOf('{', at + 1)) {
    let before = at - 1
    while (before > 0 && isBlank(line.charCodeAt(before))) before -= 1
    if (line.charCodeAt(before) === CLOSE_BRACE || line.startsWith('data:', before - 4)) return true
  }
  return false
}

function isBlank(code: number): boolean {
  return code <= 0x20 || code === BOM
}

/** The lines as one value, with line ends between or without. None where clients read it line by line. */
function valueOf(lines: readonly string[]): string | undefined {
  if (lines.length > 1 && lines.every(isRead)) return undefined
  return [lines.join('\n'), lines.join('')].find((text) => parseLoosely(text) !== undefined)
}

/** True for a value of a list that stands on a line of its own, and for the brackets around it. */
function isRead(line: string): boolean {
  const event = jsonLine(bare(line))
  return event !== undefined && (event.data === undefined || parseLoosely(event.data) !== undefined)
}

/** The values that these lines hold. */
export function valuesIn(lines: readonly string[]): readonly string[] {
  const values = new SpanningValues()
  return lines.flatMap((line) => values.read(line, false))
}
