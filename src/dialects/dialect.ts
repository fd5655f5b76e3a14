// The contract of a dialect: how one chat API says its request, reply, stream, refusal and error on the wire.
import type { Conversation, Decision, NamedCategory, NotJudged, NotJudgedReason, Stage } from '../types.js'
import type { LlamaGuardError } from '../errors.js'

/** A chat request, read: who said what, and what else the model will see. */
export interface ChatRequest {
  /**
   * System and developer text, tool definitions and whatever other prose the body carries for the model. `""`
   * when none.
   */
  readonly system: string
  /** The conversation, same-role neighbours merged. May be empty when there is only system text. */
  readonly turns: Conversation
  /** Indexes into `turns` that hold words of a human, not only tool results: what "the newest user turn" means. */
  readonly userTurns: readonly number[]
  /**
   * What is neither conversation nor system text: unknown fields, their names, settings with words. Judged as a
   * User turn of its own, whatever the `system` option says. The built-in dialects join all of it into one text.
   */
  readonly extras: readonly string[]
  /** True when the client asked for a token stream. */
  readonly stream: boolean
  readonly model?: string
  /**
   * What the model will see and no guard can: turns that the vendor keeps, sealed bytes. Counted, never skipped in
   * silence.
   */
  readonly unseen?: readonly NotJudged[]
}

/** All text of one choice of a reply that would reach the client, in document order. */
export interface ReplyChoice {
  readonly index: number
  readonly text: string
}

/** New text in one event of a stream. Text of one channel is contiguous for the reader; channels never mix words. */
export interface StreamDelta {
  readonly choice: number
  /** For example `delta.content` or `delta.tool_calls.0.function.arguments`. */
  readonly channel: string
  readonly text: string
  /**
   * Not words of the model but what stands beside them: names, ids, comments. Judged like any text; alone it
   * does not let a stream begin. Default: false.
   */
  readonly aside?: boolean
  /** A channel of the same choice whose text until now begins this one, when this one is new. */
  readonly from?: string
}

/**
 * How a reply streams. `data-stream`: the Vercel AI SDK's `0:"text"` lines. `json-array`: an array, element by
 * element. `text`: bare text, judged as it flows.
 */
export type Framing = 'sse' | 'ndjson' | 'data-stream' | 'json-array' | 'text'

/**
 * One frame of a stream, decoded: an SSE event, a JSON line, an element of an array, or a piece of bare text.
 * The raw bytes stay with the framer.
 */
export interface StreamEvent {
  /** SSE event name, when the frame had one. */
  readonly event?: string
  /** Joined data lines, or the NDJSON line. Undefined for a frame without data (comments only). */
  readonly data?: string
  /** Text of comments, `id:` and unknown fields: no field is a way out. */
  readonly other?: string
  /** The type code of a line like `0:"text"`. */
  readonly part?: string
  /** `data` is text as it stands, and not to be parsed. */
  readonly plain?: boolean
  /** `data` is an element of the array that the whole stream is. */
  readonly element?: boolean
}

/** Reads one stream of a dialect, event by event. Stateful: make one per reply. */
export interface StreamReader {
  /** The text in this event. Throws `unreadable_response` for data that cannot be read. Never drops a string. */
  read(event: StreamEvent): readonly StreamDelta[]
  /** Told, in order, of every event as it leaves: `block` and `fail` speak to a client that saw these and no more. */
  sent(event: StreamEvent): void
  /**
   * Raw frames that end the stream as blocked, for every choice that is still open: last chunk, then the
   * dialect's end. `words`: what the client is to read in place of the rest, with `onBlock: 'refusal'`.
   */
  block(decision: Decision, words?: string): string
  /** Raw frames that end the stream as failed, in the form the dialect's own client raises. */
  fail(error: LlamaGuardError): string
}

/** The body of a refusal: what the client's SDK can read. */
export interface Refusal {
  readonly stage: Stage
  readonly status: number
  readonly message: string
  readonly type: string
  readonly code: string
  readonly categories?: readonly NamedCategory[]
  readonly score?: number
  readonly model?: string
  readonly requestId: string
}

/** What a reply says that declines in the model's place, with `onBlock: 'refusal'`. */
export interface Declined {
  /** What the user is to read. */
  readonly words: string
  /** The model the client asked for, where the request names one. */
  readonly model: string | undefined
  readonly decision: Decision
  /** True for an event of a stream, false for a whole reply. */
  readonly stream: boolean
}

/** All we know of one API: its requests, replies, streams and refusals. One file each. */
export interface Dialect {
  readonly name: string
  /** Path endings that belong to it: `/chat/completions`, `:generateContent`. A `*` in one stands for anything. */
  readonly paths: readonly string[]
  /** True when the body alone, on any path, is a request of this dialect. */
  claims(body: Readonly<Record<string, unknown>>): boolean
  /** Throws `unreadable_request` rather than skip what it cannot read. */
  request(body: Readonly<Record<string, unknown>>): ChatRequest
  /** Every choice of a whole JSON reply, or undefined when the shape is not this dialect's. */
  reply(body: unknown): readonly ReplyChoice[] | undefined
  /** True when this parsed event or reply is one of this API, whichever API was asked. Default: never. */
  answers?(data: unknown): boolean
  /** Names of headers by which its own streams are known, whichever API was asked. Default: none. */
  readonly marks?: readonly string[]
  /** Headers of a refusal that is streamed. Default: none. */
  readonly headers?: Readonly<Record<string, string>>
  /** What is told as the reason when a reply has no words to judge. Default: `empty`. */
  readonly unjudgedReplies?: NotJudgedReason
  /** How its streams are framed. */
  readonly framing: Framing
  stream(): StreamReader
  /** JSON body of a 4xx, 451 or 503. */
  refusal(refusal: Refusal): unknown
  /**
   * A whole JSON reply in which the model declines, as this API's own clients know it. Default: none, and a block is
   * answered as an error also with `onBlock: 'refusal'`.
   */
  decline?(declined: Declined): unknown
}
