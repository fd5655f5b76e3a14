// Splits a streamed reply into frames. The content-type and the first line decide the framing, once. What is in no such
// frame is an error. The package has its own parser, because libraries (eventsource-parser, the decoders of the SDKs)
// drop comments, unknown fields and line ends, and an allowed stream must leave byte for byte.
import { isUtf8 } from 'node:buffer'
import { TextDecoder } from 'node:util'
import { type LlamaGuardError, toLlamaGuardError } from '../types/errors.js'
import { ArrayGrammar, ValueGrammar } from './array-frames.js'
import { type Frame, type Grammar, unreadable } from './frame.js'
import { EventGrammar, LineGrammar, startsJson } from './line-frames.js'
import { isJson, TextGrammar } from './text-frames.js'

/** What the content-type says. `array`: JSON, from an API that streams an array. */
export type Label = 'events' | 'lines' | 'array' | 'text'

/** Needs one instance per stream. */
export class Framer {
  /** Set when bytes are in no known frame. They are in {@link rest}. */
  failure: LlamaGuardError | undefined
  readonly #label: Label
  readonly #utf8 = new Utf8()
  #grammar: Grammar | undefined
  /** The bytes before the framing is known. */
  #beginning: Buffer[] = []
  #unread: Buffer = NO_BYTES

  constructor(label: Label) {
    this.#label = label
  }

  push(chunk: Buffer): Frame[] {
    return this.#read(chunk, false)
  }

  /** The frames of what is left without its end, because lenient clients read it too. */
  finish(): Frame[] {
    return this.#read(NO_BYTES, true)
  }

  /** The bytes that are in no frame. */
  rest(): Buffer {
    return Buffer.concat([...(this.#grammar?.open ?? this.#beginning), this.#unread])
  }

  #read(chunk: Buffer, ended: boolean): Frame[] {
    const frames: Frame[] = []
    try {
      this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk])
      if (this.failure !== undefined) return frames
      this.#utf8.check(chunk)
      const next = this.#grammar === undefined ? this.#begin(chunk, ended) : chunk
      this.#unread = NO_BYTES
      this.#parse(next, ended, frames)
    } catch (error) {
      this.failure = toLlamaGuardError(error)
    }
    return frames
  }

  #parse(bytes: Buffer, ended: boolean, frames: Frame[]): void {
    try {
      if (bytes.length > 0) this.#grammar?.push(bytes, frames)
      if (ended) this.#grammar?.finish(frames)
    } catch (error) {
      // A text may begin like an array, or with a line of JSON.
      const lines = this.#grammar instanceof LineGrammar
      if (this.#label !== 'text' || !(lines || this.#grammar instanceof ArrayGrammar)) throw error
      const rest = this.rest()
      this.#grammar = new TextGrammar('text', lines ? 'bare' : undefined)
      this.#parse(rest, ended, frames)
    }
  }

  /** Chooses the grammar as soon as the first line tells. Returns the bytes for it. */
  #begin(chunk: Buffer, ended: boolean): Buffer {
    this.#beginning.push(chunk)
    this.#unread = NO_BYTES
    // A long first line is looked at again only when it has ended.
    if (!ended && this.#beginning.length > LONG && !chunk.includes(LF)) return NO_BYTES
    const all = Buffer.concat(this.#beginning)
    this.#grammar = grammarOf(this.#label, all, ended)
    if (this.#grammar !== undefined) this.#beginning = []
    return this.#grammar === undefined ? NO_BYTES : all
  }
}

const NO_BYTES = Buffer.alloc(0)
const LF = 0x0a
const BOM = Buffer.from('\uFEFF')
/** Chunks of a first line that are looked at one by one. */
const LONG = 64
const FIELD = /^(?:data|event|id|retry)?:/
/** The beginning of a field's name, or of a part of a data stream. */
const MAYBE_FIELD = /^(?:da|dat|data|ev|eve|even|event|id|re|ret|retr|retry|[0-9a-z]:?)$/
/** In bare text these alone begin events: `id: 7` may be a list, and `:)` a smile. */
const FIELD_IN_TEXT = /^(?:data:|: |(?:event: ?[\w./-]+|:)(?:\r|$))/
const MAYBE_FIELD_IN_TEXT = /^(?::\r?|d|da|dat|data|e|ev|eve|even|event|event: ?[\w./-]{0,80}\r?)$/
/** The lines with which data streams of the AI SDK begin. */
const PART_IN_TEXT = /^(?:0:"|f:\{")/
const MAYBE_PART_IN_TEXT = /^(?:0:?|f:?\{?)$/

/** Undefined while the first line does not tell. */
function grammarOf(label: Label, bytes: Buffer, ended: boolean): Grammar | undefined {
  const end = bytes.indexOf(LF)
  const whole = ended || end !== -1
  if (!whole && bytes.length < BOM.length && BOM.subarray(0, bytes.length).equals(bytes)) return undefined
  const text = bytes.toString('utf8', 0, end === -1 ? bytes.length : end).replace(/^\uFEFF/, '')
  if (label === 'text') return textGrammarOf(text, bytes, whole)
  if (label === 'array') {
    const first = bytes
      .toString('utf8')
      .replace(/^\uFEFF/, '')
      .trimStart()
    if (first === '') return ended ? new LineGrammar() : undefined
    if (first.startsWith('[')) return new ArrayGrammar()
    if (first.startsWith('{')) return new ValueGrammar()
    if (!whole) return undefined
  }
  if (FIELD.test(text)) return new EventGrammar()
  if (!whole && (text.trim() === '' || MAYBE_FIELD.test(text))) return undefined
  if (startsJson(text)) {
    if (!whole) return undefined
    return /^\s*\[/.test(text) && !/\]\s*$/.test(text) ? new ArrayGrammar() : new LineGrammar()
  }
  if (label !== 'events') return new LineGrammar()
  return text.trim() === '' ? new EventGrammar() : new TextGrammar('events')
}

function textGrammarOf(text: string, bytes: Buffer, whole: boolean): Grammar | undefined {
  if (FIELD_IN_TEXT.test(text) && (whole || /^(?:data:|: )|\r./.test(text))) return new EventGrammar()
  if (PART_IN_TEXT.test(text)) return new LineGrammar()
  if (!whole && (MAYBE_FIELD_IN_TEXT.test(text) || MAYBE_PART_IN_TEXT.test(text))) return undefined
  // What writes JSON lines writes them whole. Another object flows.
  if (whole && text.startsWith('{') && isJson(text)) return new LineGrammar()
  // The first value of an array may stand on the next line.
  const list = /^\s*\[\s*(\{?)/.exec(bytes.toString('utf8').replace(/^\uFEFF/, ''))
  if (list === null) return new TextGrammar('text')
  if (list[1] === '{') return new ArrayGrammar()
  return list[0].length === bytes.length ? undefined : new TextGrammar('text')
}

/** Of bytes that are no UTF-8, and of zeros, clients may read words that the guard does not see. */
class Utf8 {
  /** Set from the first chunk on that does not end with a whole character. */
  #decoder: TextDecoder | undefined

  /** @throws LlamaGuardError `unreadable_response`. */
  check(chunk: Buffer): void {
    if (chunk.includes(0)) throw unreadable('holds binary data')
    // `isUtf8` is tried first, because it makes no string.
    if (this.#decoder === undefined && isUtf8(chunk)) return
    this.#decoder ??= new TextDecoder('utf-8', { fatal: true })
    try {
      this.#decoder.decode(chunk, { stream: true })
    } catch {
      throw unreadable('is not in UTF-8')
    }
  }
}
