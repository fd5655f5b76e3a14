// What the holds of a reply know of its request, and the two sides of a held response: the hold, which keeps the body,
// and the controller, through which the hold sends it. Types only. Exchange implements the context.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { ChatRequest, Dialect, Media } from '../dialects/dialect.js'
import type {
  Decision,
  Expose,
  GuardedRequest,
  Judgement,
  NotJudgedReason,
  RefusalText,
  Stage,
  ToolCall,
} from '../types.js'
import type { LazyAbortController } from '../utils/deadline.js'

/** The options that shape what goes out. */
export interface ReplySettings extends RefusalSettings {
  readonly streaming: 'window' | 'fixed' | 'full' | 'async'
  readonly windowChars: number
  readonly windowMs: number
  /** Default: `refuse`. */
  readonly images?: Media | undefined
}

/** Sets how often the streams of a guard are checked. */
export interface Pace {
  /** A stream begins. Returns what to call once it has ended. */
  join(): () => void
  /** Milliseconds that new text waits for company, at most the bound. */
  turn(windowMs: number): number
  /** A check has taken so long. Undefined when it failed. */
  took(ms: number | undefined): void
}

export interface ReplyContext extends RefusalContext {
  readonly res: ServerResponse
  readonly dialect: Dialect
  readonly settings: ReplySettings
  readonly maxReplyBytes: number
  /** The input decision, for the verdict headers. */
  readonly input: Decision | undefined
  /**
   * Set with `parallel`. Nothing may be released before it resolves. It resolves to false when the input is not
   * allowed.
   */
  readonly gate: Promise<boolean> | undefined
  /** Undefined when nobody asks how long the reply waited. */
  readonly clock?: ReplyClock | undefined
  /** Why nothing of this stage is judged; undefined when the stage is on. */
  skips(stage: Stage): NotJudgedReason | undefined
  /** One for all streams of a guard. */
  readonly pace: Pace
  /**
   * Judges this text of a choice as the Agent's turn after the request's. Never rejects. Default: the first choice.
   * `calledOff` ends the check, whose result then means nothing.
   * `passing`: the text hardly comes again. Default: false.
   */
  judgeReply(text: string, choice?: number, calledOff?: LazyAbortController, passing?: boolean): Promise<Judgement>
  /**
   * Asks the hook `onToolCall`; undefined without one. A judgement is a block or a failure. Never rejects. Default: a
   * call of the reply.
   */
  readonly askToolCall?: ((call: Omit<ToolCall, 'stage'>, stage?: Stage) => Promise<Judgement | undefined>) | undefined
  /** `why`: the reason when there is nothing to judge. Default: `empty`. */
  decide(stage: Stage, judgements: readonly Judgement[], why?: NotJudgedReason): Decision
  decideError(stage: Stage, error: unknown): Decision
  /** The stricter of this decision and those of other mounts that guard the request. */
  strictest(decision: Decision): Decision
  /** Called once, with the final decision on the reply, for log, metrics and `req.llamaGuard`. */
  record(decision: Decision, judgements: readonly Judgement[]): Decision
  /** Stops the handler's work and every check whose result is no longer needed. */
  abort(): void
}

export interface RefusalSettings {
  /** Sent with a block as `Link: <...>; rel="blocked-by"`, RFC 7725 section 3. */
  readonly policyUrl?: string | undefined
  readonly onBlock?: 'error' | 'refusal'
  readonly blockStatus?: number
  readonly refusalText?: RefusalText | undefined
  readonly handler?: ((req: GuardedRequest, res: ServerResponse, decision: Decision) => void) | undefined
  /** What a client is told. */
  readonly expose?: Expose | undefined
}

/** The request that is refused. */
export interface RefusalContext {
  readonly dialect: Pick<Dialect, 'refusal'> & Partial<Dialect>
  readonly requestId: string
  readonly settings: RefusalSettings
  /** The input decision, when the output is refused. */
  readonly input?: Decision | undefined
  readonly req?: GuardedRequest
  /** Called when a function of the operator's threw. */
  tellOperator?(option: string, error: unknown): void
  /** What the client asked for; undefined until the request is read. */
  readonly asked?: (Pick<ChatRequest, 'stream' | 'model' | 'calls'> & Partial<Pick<ChatRequest, 'turns'>>) | undefined
}

/** Keeps what the handler writes until it may leave. Its methods are called in order, and never after `gone`. */
export interface Hold {
  write(chunk: Buffer): void
  /** The handler has ended. `chunk` is the chunk that it passed to `end()`. */
  end(chunk: Buffer | undefined): void
  /** The source of the reply broke off. `decision` is not `allow`. */
  fail(decision: Decision): void
  /** The client left or the response was destroyed. The hold drops everything and sends nothing. */
  gone(): void
  /**
   * True while the hold wants no more bytes. `write()` then returns false, and the hold must call {@link
   * ResponseController.drained} later.
   */
  readonly full?: boolean
}

/** What a hold may do with the real response. After `refuse`, `destroy` or `finish` every call does nothing. */
export interface ResponseController {
  readonly res: ServerResponse
  /** Sends bytes. The first call sends the headers as they are. Returns false while the client reads too slowly. */
  release(chunk: Buffer): boolean
  /** Sends the last bytes and ends the response. */
  finish(chunk?: Buffer): void
  /** Drops the handler's headers and body and answers with these instead. Allowed only before the first release. */
  refuse(status: number, headers: OutgoingHttpHeaders, body: string | Buffer): void
  /** Ends a response that has begun with these last bytes, and ignores later calls of the handler. */
  cut(lastBytes: string): void
  /** Breaks the connection. A response that has begun and cannot get a readable ending must not look complete. */
  destroy(): void
  /** Breaks the connection if the response was given back to the handler and the handler will not end it. */
  abandon(): void
  /** Gives the rest of the response back to the handler, which then writes to the client directly. */
  open(): void
  /** Emits 'drain' for a handler that waits for it. */
  drained(): void
}

/** Told when bytes of a held reply come from the handler and when bytes leave. */
export interface ReplyClock {
  gave(last: boolean): void
  left(last: boolean): void
}
