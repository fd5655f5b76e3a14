// Bare text: it is passed on as it comes, in whole characters. A line of it that a client may take for an event or for
// JSON is held to its end, and read as such too.
import { parsedJson } from '../utils/json.js'
import { arrayElements, Nesting } from './array-frames.js'
import { type Frame, type FrameKind, type Grammar, type StreamEvent, unreadable } from './frame.js'
import { bare, jsonOf } from './line-frames.js'

/** The beginning of a line that tells what it may be. */
const BEGINNING_CHARS = 8
const MAY_BE_EVENT = /^(?:[{"]|\[\s*(?:\{|$)|[0-9a-z](?:$|:(?:$|["{[\d])))/
/** The longest line that is read as JSON where it has left already: the first one. */
const MAX_LINE_CHARS = 65_536

export class TextGrammar implements Grammar {
  readonly #label: FrameKind
  #kind: FrameKind = 'text'
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  #open: Buffer[] = []
  /** The text of the open bytes. */
  #text = ''
  /** The lines of the open bytes that are events. */
  #events: StreamEvent[] = []
  #beginning = ''
  /** The line that has not ended, where it may be an event. */
  #line = ''
  #firstLine = true
  /** How the first line stood in the text that is an event. */
  #form: 'data' | 'bare' | undefined
  /** True for text that begins like a JSON object. Nobody reads such a text as two values, or it is refused. */
  #object = false
  /** How deep the text is in the object that it begins with. Undefined once that object has ended. */
  #nesting: Nesting | undefined = new Nesting()

  /** `label`: the kind from its first event on. `form`: how the lines before this text stood, where they are events. */
  constructor(label: 'events' | 'text', form?: 'bare') {
    this.#label = label
    this.#form = form
  }

  get open(): readonly Buffer[] {
    return this.#open
  }

  push(chunk: Buffer, frames: Frame[]): void {
    this.#open.push(chunk)
    const text = this.#decoder.decode(chunk, { stream: true })
    this.#text += text
    const [first = '', ...rest] = text.split('\n')
    this.#grow(first)
    for (const piece of rest) {
      this.#endLine()
      this.#grow(piece)
    }
    // Quoted words and the first value of a text flow. They are read as events when their line has ended.
    const waits = this.#mayBeEvent && this.#beginning[0] !== '"' && !(this.#firstLine && this.#object)
    if (this.#text !== '' && !waits) frames.push(this.#take())
  }

  finish(frames: Frame[]): void {
    this.#text += this.#decoder.decode()
    this.#endLine()
    if (this.#open.length > 0 || this.#events.length > 0) frames.push(this.#take())
  }

  #grow(piece: string): void {
    if (this.#beginning.length < BEGINNING_CHARS)
      this.#beginning = (this.#beginning === '' ? bare(piece) : this.#beginning + piece).slice(0, BEGINNING_CHARS)
    if (this.#firstLine && this.#beginning.startsWith('{')) this.#object = true
    if (this.#object) this.#nest(piece)
    if (this.#mayBeEvent && (this.#line.length < MAX_LINE_CHARS || !this.#firstLine)) this.#line += piece
  }

  #nest(piece: string): void {
    for (let at = 0; this.#nesting !== undefined && at < piece.length; at++) {
      this.#nesting.read(piece.charCodeAt(at))
      if (piece[at] === '}' && !this.#nesting.open) this.#nesting = undefined
    }
  }

  /** True while the line may still become JSON, an event, or a line of a data stream. */
  get #mayBeEvent(): boolean {
    const start = this.#beginning.toLowerCase()
    if (start === '') return false
    return MAY_BE_EVENT.test(start) || 'data:'.startsWith(start.slice(0, 5)) || (this.#object && start[0] === '}')
  }

  #endLine(): void {
    const events = this.#line === '' ? NONE : eventsOf(this.#line)
    if (events.length > 0) this.#note(events)
    else if (this.#object && this.#nesting === undefined && !this.#firstLine && /^\}?[\s,]*\{/.test(this.#line))
      throw unreadable('has JSON values over several lines')
    if (this.#beginning !== '') this.#firstLine = false
    this.#beginning = ''
    this.#line = ''
  }

  #note(events: readonly StreamEvent[]): void {
    const form = /^data:/i.test(bare(this.#line)) ? 'data' : 'bare'
    if (form === 'data') this.#kind = this.#label
    if (events[0]!.data?.[0] === '{' && form !== (this.#form ??= form))
      throw unreadable('mixes events with lines of JSON')
    this.#events.push(...events)
  }

  #take(): Frame {
    const bytes = this.#open.length === 1 ? this.#open[0]! : Buffer.concat(this.#open)
    const events = this.#text === '' ? this.#events : [{ data: this.#text, plain: true }, ...this.#events]
    this.#open = []
    this.#text = ''
    this.#events = []
    return { bytes, start: 0, end: bytes.length, kind: this.#kind, events }
  }
}

const NONE: readonly StreamEvent[] = []

/** The events of a line, as clients read it that look at each line by itself. */
function eventsOf(line: string): readonly StreamEvent[] {
  const text = bare(line)
  if (/^data:/i.test(text)) return [{ data: text.slice(text[5] === ' ' ? 6 : 5) }]
  const { part, data } = jsonOf(text) ?? {}
  if (data === undefined) return NONE
  if (part !== undefined) return isJson(data) ? [{ part, data }] : NONE
  // Several values may stand on one line. A number or a word of JSON is text like any other.
  const values = /^[{["]/.test(data) ? arrayElements(`[${data}]`) : undefined
  return (values ?? []).filter(isJson).map((value) => ({ data: value }))
}

export const isJson = (text: string): boolean => parsedJson(text) !== undefined
