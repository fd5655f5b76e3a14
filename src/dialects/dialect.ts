// The contract of a dialect: how one chat API says its request, reply, stream, refusal and error on the wire.
import type { Conversation, Decision, NamedCategory, NotJudged, NotJudgedReason, Stage, ToolCall } from '../types.js'
import type { LlamaGuardError } from '../types/errors.js'
import type { StreamEvent } from '../wire/frame.js'

/** A parsed chat request: who said what, and what else the model will see. */
export interface ChatRequest {
  /**
   * System and developer text, tool definitions and other prose that the body carries for the model. `""` when there
   * is none.
   */
  readonly system: string
  /** The conversation, with neighbouring messages of the same role merged. Empty when there is only system text. */
  readonly turns: Conversation
  /**
   * Indexes of the turns that hold words of a human and not only tool results. They decide what "the newest user
   * turn" is.
   */
  readonly userTurns: readonly number[]
  /**
   * Text that is neither conversation nor system text: unknown fields, their names, settings with words. It is judged
   * as a User turn of its own, whatever the option `system` says. The built-in dialects join all of it into one text.
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
  /** Set for a body that may be no chat: a picture that no guard sees is no reason to refuse it. */
  readonly images?: 'ignore'
  /** The ids that go unjudged, for what stands outside of the chat. */
  readonly ids?: { has(name: string, id: string): boolean }
  /** The calls of a JSON-RPC request that wait for an answer. A refusal and the end of a stream name them. */
  readonly calls?: readonly RpcCall[]
  /** Tools that the request itself calls, as requests of the Model Context Protocol do. */
  readonly toolCalls?: readonly Omit<ToolCall, 'stage'>[]
}

/** A call of a JSON-RPC request. */
export interface RpcCall {
  readonly id: string | number
  readonly method: string
}

/** All text of one choice of a reply that the client would get, in document order. */
export interface ReplyChoice {
  readonly index: number
  readonly text: string
}

/**
 * New text in one event of a stream. Texts of one channel follow each other directly; texts of different channels are
 * never joined.
 */
export interface StreamDelta {
  readonly choice: number
  /** For example `delta.content` or `delta.tool_calls.0.function.arguments`. */
  readonly channel: string
  readonly text: string
  /**
   * True for text beside the model's words: names, ids, comments. It is judged like any text, but alone it does not
   * let a stream begin. Default: false.
   */
  readonly aside?: boolean
}

/**
 * The framing of a stream. `sse`: server-sent events. `ndjson`: JSON lines. `json-lines`: JSON lines that may come
 * under the content-type `application/json`. `json-array`: one array that is read element by element. `data-stream`:
 * the Vercel AI SDK's `0:"text"` lines. `text`: bare text that is judged as it flows.
 */
export type Framing = 'sse' | 'ndjson' | 'data-stream' | 'json-array' | 'text' | 'json-lines'

export type { StreamEvent } from '../wire/frame.js'

/** What becomes of pictures and sound in a reply, which no guard reads: the option `images`. Default: `refuse`. */
export type Media = 'refuse' | 'ignore'

/** Reads one stream of a dialect, event by event. It has state, so each reply needs its own. */
export interface StreamReader {
  /**
   * The text in this event. No string is dropped.
   * @throws LlamaGuardError `unreadable_response` for data that cannot be read.
   */
  read(event: StreamEvent): readonly StreamDelta[]
  /**
   * Call it once the event that was read last has left: `block` and `fail` write to a client that has got the events up
   * to this one. It stands for those of all events before it. Undefined while no event has changed anything.
   */
  readonly leaves: (() => void) | undefined
  /**
   * The raw frames that end the stream as blocked, for every open choice: the last chunk, then the end of the stream.
   * `words` is the text that takes the place of the rest, with `onBlock: 'refusal'`.
   */
  block(decision: Decision, words?: string): string
  /** The raw frames that end the stream as failed, in a form that makes the dialect's client raise an error. */
  fail(error: LlamaGuardError): string
}

/** The facts of a refusal, from which a dialect makes a body that the client's SDK can read. */
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
  /** The calls of the request that wait for an answer. Default: none. */
  readonly calls?: readonly RpcCall[] | undefined
}

/** The facts of a reply that declines in the model's place, with `onBlock: 'refusal'`. */
export interface Declined {
  /** The text for the user. */
  readonly words: string
  /** The model that the request names, if any. */
  readonly model: string | undefined
  readonly decision: Decision
  /** True for an event of a stream, false for a whole reply. */
  readonly stream: boolean
  /** The calls of the request that wait for an answer. Default: none. */
  readonly calls?: readonly RpcCall[] | undefined
}

/** One chat API: its requests, replies, streams and refusals. Each has a file of its own. */
export interface Dialect {
  readonly name: string
  /** Its documented paths, whole, or their endings behind a prefix of an app's own. A `*` stands for anything. */
  readonly paths: readonly string[]
  /** True when a body could be a request of this dialect: on its path it then is one. */
  claims(body: Readonly<Record<string, unknown>>): boolean
  /** True when a body that it claims can be of no other API, so that it is a request of this one on any path. */
  readonly distinct?: boolean
  /** True when a list of its requests is a request too. `request` is then given the list. Default: false. */
  readonly batches?: boolean
  /**
   * The paths, in lower case, on which requests without a body are its own: what the vendor keeps is read and cancelled
   * there. They have no words, and their replies are judged. Default: none.
   */
  readonly bodiless?: RegExp
  /**
   * True when a GET with these headers opens a stream of this API. The request has no words then, and its reply is
   * judged. Default: never.
   */
  opens?(headers: Readonly<Record<string, unknown>>): boolean
  /** @throws LlamaGuardError `unreadable_request` for anything that cannot be read. Nothing is skipped. */
  request(body: Readonly<Record<string, unknown>>): ChatRequest
  /**
   * Every choice of a whole JSON reply. Undefined when the reply has the shape of another API. `media`: the option
   * `images`. Default: `refuse`.
   */
  reply(body: unknown, media?: 'refuse' | 'ignore'): readonly ReplyChoice[] | undefined
  /** True when this parsed event or reply belongs to this API, whatever API the client asked. Default: never. */
  answers?(data: unknown): boolean
  /**
   * Response headers that only streams of this API have, and the framing of such a stream. They count whichever API the
   * client asked. Default: none.
   */
  readonly marks?: Readonly<Record<string, Framing>>
  /** Headers of a streamed refusal. Default: none. */
  readonly headers?: Readonly<Record<string, string>>
  /** What is told as the reason when a reply has no words to judge. Default: `empty`. */
  readonly unjudgedReplies?: NotJudgedReason
  /** How its streams are framed. Default: `sse`. */
  readonly framing?: Framing
  /**
   * True when events without words leave before the first verdict, because the other side waits for them. An early
   * block then ends the stream and is no 451. Default: false.
   */
  readonly early?: boolean
  /** `calls`: the calls of the request that wait for an answer. `media`: the option `images`. Default: `refuse`. */
  stream(calls?: readonly RpcCall[], media?: 'refuse' | 'ignore'): StreamReader
  /** The JSON body of a 4xx, 451 or 503. */
  refusal(refusal: Refusal): unknown
  /**
   * A whole JSON reply in which the model declines, in the form that clients of this API read. Default: none, and a
   * block is answered as an error even with `onBlock: 'refusal'`. Undefined where this request has no such reply.
   */
  decline?(declined: Declined): unknown
}
