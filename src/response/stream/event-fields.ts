// Reads the fields of one server-sent event (WHATWG HTML section 9.2.6) and drops none of them.
import type { StreamEvent } from '../../dialects/dialect.js'
import { type LooseLine, looseLine, pythonLines } from './loose-line.js'

// Counters and hashes carry no words. Any other id may carry words, so it is judged.
const SILENT_ID = /^[0-9a-f-]{0,64}$/i
/** Comments that servers send to keep a connection open, with or without the time of day. */
const SILENT_COMMENT = /^(?:ping|pong|keep-?alive|heartbeat|OPENROUTER PROCESSING)?[-\d\s.:+TZ]{0,40}$/i
const SPACE = 0x20

export interface ReadEvent {
  readonly event: StreamEvent
  /** Set when the lines mean something else one by one than joined. */
  readonly lines: readonly LooseLine[] | undefined
}

export class EventFields {
  #name: string | undefined
  #data: string | undefined
  #other: string | undefined
  #lines: LooseLine[] | undefined
  #empty = true

  /** True when no line has been read since the last event. */
  get empty(): boolean {
    return this.#empty
  }

  read(line: string): void {
    this.#empty = false
    const within = pythonLines(line)
    for (const each of within) this.#own(each)
    const colon = line.indexOf(':')
    if (colon === 4 && this.#data === undefined && line.startsWith('data')) {
      this.#data = line.slice(line.charCodeAt(5) === SPACE ? 6 : 5)
      if (within.length === 0) this.#lines?.push({ kind: 'data', event: { data: this.#data } })
      return
    }
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') {
      if (within.length === 0) this.#own({ kind: 'data', event: { data: value } })
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`
    } else if (field === 'event') {
      // The standard takes the last event name, and other readers take the first. Both are judged.
      if (this.#name !== undefined && this.#name !== value) this.#note(this.#name)
      this.#name = value
    } else if (field === '') {
      if (!SILENT_COMMENT.test(value)) this.#note(value)
    } else if (field === 'id' || field === 'retry') {
      if (!SILENT_ID.test(value)) this.#note(value)
    } else {
      const loose = within.length === 0 ? looseLine(line) : undefined
      if (loose !== undefined) this.#own(loose)
      this.#note(line)
    }
  }

  /** The event that was read since the last call. */
  take(): ReadEvent {
    const name = this.#name
    const data = this.#data
    const other = this.#other
    const lines = this.#lines
    this.#name = undefined
    this.#data = undefined
    this.#other = undefined
    this.#lines = undefined
    this.#empty = true
    if (name === undefined && other === undefined) return { event: data === undefined ? {} : { data }, lines }
    const event = {
      ...(name !== undefined && { event: name }),
      ...(data !== undefined && { data }),
      ...(other !== undefined && { other }),
    }
    return { event, lines }
  }

  /** A line that says something of its own. Those before it are kept from here on, too. */
  #own(line: LooseLine): void {
    this.#lines ??= this.#data === undefined ? [] : [{ kind: 'data', event: { data: this.#data } }]
    this.#lines.push(line)
  }

  #note(text: string): void {
    if (text.trim() !== '') this.#other = this.#other === undefined ? text : `${this.#other}\n${text}`
  }
}
