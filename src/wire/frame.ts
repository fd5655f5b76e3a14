// A frame of a streamed reply: its raw bytes and its decoded events.
import { type LlamaGuardError, unreadableResponse } from '../types/errors.js'

/**
 * One decoded frame of a stream: an SSE event, a JSON line, an element of an array, or a piece of bare text. The
 * framer keeps the raw bytes.
 */
export interface StreamEvent {
  /** The SSE event name, when the frame had one. */
  readonly event?: string
  /** The joined data lines, or the NDJSON line. Undefined for a frame without data (comments only). */
  readonly data?: string
  /** The text of comments, `id:` and unknown fields. It is judged too, because words can stand in any field. */
  readonly other?: string
  /** The type code of a line like `0:"text"`. */
  readonly part?: string
  /** True when `data` is plain text and must not be parsed. */
  readonly plain?: boolean
  /** True when `data` must be JSON: a line of JSON lines, or an element of an array. */
  readonly json?: boolean
  /** True when the stream may be the model's text and no API's: its ids and names are judged too. */
  readonly bare?: boolean
  /** `data` is an element of the array that the whole stream is. */
  readonly element?: boolean
}

/** `sequence`: JSON lines behind record separators (RFC 7464). */
export type FrameKind = 'events' | 'lines' | 'sequence' | 'text'

/** A frame: where its raw bytes are, and what they say. The raw bytes of all frames in order are the stream. */
export interface Frame {
  /** The buffer that holds the frame's bytes, from `start` to `end`, exclusive. */
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly kind: FrameKind
  /** None for a frame that says nothing; several for the elements of a list, and for the lines within a text. */
  readonly events: readonly StreamEvent[]
}

/** A slice, or its copy where the slice would keep a buffer of more than twice its size. */
export function unpinned(slice: Buffer): Buffer {
  const size = slice.buffer.byteLength
  return size > Buffer.poolSize && 2 * slice.length < size ? Buffer.from(slice) : slice
}

/** Reads one framing. Throws for what is not in it; the bytes that are in no frame are then in `open`. */
export interface Grammar {
  readonly open: readonly Buffer[]
  push(chunk: Buffer, frames: Frame[]): void
  finish(frames: Frame[]): void
}

export function unreadable(what: string): LlamaGuardError {
  return unreadableResponse(
    `The stream ${what}, so it cannot be judged. Send server-sent events, JSON lines or text, in UTF-8.`,
  )
}
