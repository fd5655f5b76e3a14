// What a request turns out to be: a chat, a body that is no known chat, or nothing to read.
import type { ChatRequest, Dialect } from '../dialects/dialect.js'

/** A chat, and the dialect that reads it. */
export interface RecognisedChat {
  readonly kind: 'chat'
  readonly dialect: Dialect
  /** The body as the handler will see it. It is a list or a text when the whole body is one. */
  readonly body: Record<string, unknown>
  readonly request: ChatRequest
}

/** A body that is no known chat, which the handler gets unjudged. */
export interface UnknownBody {
  readonly kind: 'unknown'
  /** `unseen`: another middleware has read the body. `other`: the body was not read. */
  readonly format: 'json' | 'lines' | 'form' | 'text' | 'multipart' | 'other' | 'unseen'
  readonly value?: unknown
  /** True when the operator is told with a header and a log line, beside the event. */
  readonly announced: boolean
}

/** There is nothing to read: the path is not guarded, or there is no body. */
export interface NothingToRead {
  readonly kind: 'nothing'
  readonly why: 'path' | 'no-body'
}

export type Recognised = RecognisedChat | UnknownBody | NothingToRead
