// The types that every stage shares: turns in, verdicts and decisions out. Types only, no logic.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { LlamaGuardError } from './errors.js'

/** Llama Guard's labels for the two sides of a conversation. The model is Agent. Users and tool results are User. */
export type Role = 'User' | 'Agent'

/** Which side of the model is judged: `input` is what the user sends, `output` what the model answers. */
export type Stage = 'input' | 'output'

/** One image of a turn, as the request carried it: a `data:` URL or an http(s) URL. */
export interface Image {
  readonly url: string
}

/** The words of one speaker without interruption. Neighbouring messages of the same role are merged. */
export interface Turn {
  readonly role: Role
  readonly text: string
  readonly images?: readonly Image[]
}

/** What a guard judges. The last turn is judged, and the turns before it are context. Never empty. */
export type Conversation = readonly Turn[]

/** The verdict of a guard model. When there is no verdict, the result is a {@link LlamaGuardError}. */
export interface Verdict {
  readonly safe: boolean
  /**
   * Ids of the violated categories that the policy knows, for example `["O3"]`. Empty when safe, or when the
   * model named none.
   */
  readonly categories: readonly string[]
  /**
   * Category ids that the model named and the policy does not know. They block, because an unknown hazard is still a
   * hazard.
   */
  readonly unknown?: readonly string[]
  /**
   * True when the answer hit its token limit. The category list may then be cut (`S1` for `S14`), so no category
   * action makes it lenient.
   */
  readonly truncated?: boolean
  /** Probability of "unsafe", 0 to 1, when the backend gives token log probabilities. */
  readonly score?: number
  /** Probability of each category, 0 to 1, when the guard gives one for each. */
  readonly categoryScores?: Readonly<Record<string, number>>
  /** Name of the guard that gave this verdict, when several could have. */
  readonly judgedBy?: string
  /** Name of the guard that named each category, by category id, when a panel judged. */
  readonly namedBy?: Readonly<Record<string, string>>
  /** Number of calls for this verdict, retries included. */
  readonly attempts?: number
  /** Tokens the guard model read and wrote, when the backend counts them. */
  readonly tokens?: { readonly input?: number; readonly output?: number }
  /** True when the verdict was remembered and no guard was asked. */
  readonly cached?: boolean
}

export interface JudgeOptions {
  /**
   * Aborted when the deadline of the judgement passes or nobody waits for it any more. Read it by name, as in
   * `judge(conversation, { signal })`: it is created on first use, and a spread of the options would not copy it.
   */
  readonly signal?: AbortSignal
  /** The stage, for guards that treat input and output differently. */
  readonly stage?: Stage
}

/**
 * An object that can judge a conversation. Throw (ideally a {@link LlamaGuardError}) when it cannot, and never guess
 * "safe".
 */
export interface Guard {
  /** The name in logs and error bodies, as `model`. Default: `"custom"`. */
  readonly model?: string
  /** Separates this guard's entries in the verdict cache: endpoint, URL, policy. Default: unique to the object. */
  readonly identity?: string
  /** True when the guard reads images. Default: false. */
  readonly vision?: boolean
  /**
   * The roles whose turns this guard judges. A panel asks it about those alone. A guard that judges one role only
   * must be part of a panel. Default: both.
   */
  readonly judges?: readonly Role[]
  /** True when every verdict has a score. The first guard of a cascade needs it. Default: false. */
  readonly scored?: boolean
  /** Ids and names of the categories that this guard may answer with. */
  readonly categories?: readonly Category[]
  /**
   * Splits a conversation that does not fit the guard's context into pieces that fit. One unsafe piece makes the
   * conversation unsafe. Default: one piece.
   */
  fit?(conversation: Conversation): readonly Conversation[]
  judge(conversation: Conversation, options: JudgeOptions): Promise<Verdict>
  /** Frees sockets and models. Called once, when the middleware is closed. */
  close?(): void | Promise<void>
}

/**
 * The action when the guard names a category: `block` answers 451, `flag` lets the text pass and reports the
 * category, `ignore` treats it as safe.
 */
export type CategoryAction = 'block' | 'flag' | 'ignore'

/** One hazard category of the policy. */
export interface Category {
  /** The id that the model answers with: `O3`, `S12`, or your own of one letter and a number. */
  readonly id: string
  /** The short name in the prompt and in 451 bodies. */
  readonly name: string
  /** Plain text that is printed under the name. It replaces `shouldNot`, `can` and `should`. */
  readonly description?: string
  readonly shouldNot?: readonly string[]
  readonly can?: readonly string[]
  readonly should?: readonly string[]
  /** What to do when the guard names this category. Default: `block`. */
  readonly action?: CategoryAction
}

/** The verdict of one judgement (all pieces merged), or the error when there is none. */
export type Judgement =
  | { readonly verdict: Verdict; readonly ms: number; readonly model: string }
  | { readonly error: LlamaGuardError; readonly ms: number; readonly model: string }

/** The decision of the policy on the judgements of one stage. It is data only; the response stage carries it out. */
export interface Decision {
  /** `allow` releases. `block` answers 451. `unavailable` answers the status of the error (503, or a client's 4xx). */
  readonly action: 'allow' | 'block' | 'unavailable'
  readonly stage: Stage
  readonly outcome: Outcome
  /** Violated categories with their names, flagged ones included. */
  readonly categories: readonly NamedCategory[]
  readonly error?: LlamaGuardError
  readonly model: string
  /** Milliseconds the stage waited for its slowest judgement. */
  readonly ms: number
}

export interface NamedCategory {
  readonly code: string
  readonly name: string
  /** The guard that named this category, when a panel judged. */
  readonly guard?: string
}

/**
 * Why a stage, or a part of it, was not judged. The set is closed: the values appear in the header and as labels of
 * metrics.
 *
 * - `unknown-body`: a body that is no known chat, let through by the option `unknown`.
 * - `no-body`: a request or response without a body.
 * - `path`: the option `paths` does not name this path.
 * - `stage-off`: the option `check` leaves the stage out.
 * - `skip-hook`: the hook `skip` returned true.
 * - `image`: an image that a text-only model cannot see, with `images: 'ignore'`.
 * - `binary`: bytes that are no text, such as audio.
 * - `empty`: a reply without a word.
 * - `status`: an error reply that carries no model text.
 * - `stored-history`: turns that the vendor keeps and the request only names.
 * - `shadow-sample`: left out of the sample of a shadow guard.
 */
export type NotJudgedReason =
  | 'unknown-body'
  | 'no-body'
  | 'path'
  | 'stage-off'
  | 'skip-hook'
  | 'image'
  | 'binary'
  | 'empty'
  | 'status'
  | 'stored-history'
  | 'shadow-sample'

/**
 * What a request, or a part of it, was not judged for: a {@link NotJudgedReason}, or
 *
 * - `error`: it could not be judged, or was refused unread; the event's `code` says why.
 * - `client-left`: the client was gone before the verdict.
 */
export type Unjudged = NotJudgedReason | 'error' | 'client-left'

/** How often one thing was not judged. */
export interface NotJudged {
  readonly what: Unjudged
  /** Stages or parts: two ignored images count 2. */
  readonly count: number
}

/** One member of the `Llama-Guard` response header. */
export interface Outcome {
  readonly state: 'safe' | 'unsafe' | 'unjudged' | 'skipped'
  /** The error code, when the state is `unjudged`. */
  readonly code?: string
  /** Why nothing was judged, when the state is `skipped`. */
  readonly why?: NotJudgedReason
  readonly score?: number
  readonly cached?: boolean
  /** Name of the guard that judged, when it was not the first choice. */
  readonly by?: string
}

/**
 * One text, or texts by language tag (`en`, `de`, `pt-BR`). The first is used when the client asks for none of them.
 */
export type TextByLanguage = string | Readonly<Record<string, string>>

/** A text for both stages, a text for each stage, or a function of the decision and the request. */
export type RefusalText =
  TextByLanguage | { readonly [S in Stage]?: TextByLanguage } | ((decision: Decision, req: GuardedRequest) => string)

/** A pino-like logger. */
export interface Logger {
  debug(fields: object, message?: string): void
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
}

/** The event of one stage of one request, judged or not. `onVerdict` and the log get it. It holds no chat content. */
export interface VerdictEvent {
  readonly requestId: string
  readonly stage: Stage
  readonly dialect: string
  readonly model: string
  /** `skipped`: the stage was not judged on purpose, and `why` says for what reason. */
  readonly verdict: Outcome['state']
  readonly why?: NotJudgedReason
  /** The action: `allow`, `block` or `unavailable`. */
  readonly action: Decision['action']
  readonly categories: readonly string[]
  readonly code?: string
  readonly score?: number
  readonly ms: number
  readonly cached: boolean
  readonly attempts?: number
  readonly tokens?: Verdict['tokens']
  readonly judgedBy?: string
  /** Number of guard checks behind this event. Long texts and streams take more than one. */
  readonly checks: number
}

/** What was asked of the guards for one request: counts, never the words. */
export interface JudgedAmount {
  /** Characters of the judged turns and of the judged reply, context left out. */
  readonly chars: number
  /** Guard checks, remembered verdicts included. A stream takes several. */
  readonly pieces: number
  /** Choices of the reply that were judged. */
  readonly choices: number
}

/**
 * One request that reached the middleware, judged or passed, told when its response has closed: a message of the
 * channel `express-llama-guard:request` and a row of the audit. Holds no chat content.
 */
export interface RequestEvent {
  /** When the request came in, ISO 8601. */
  readonly time: string
  readonly requestId: string
  /** Trace id of the request's W3C `traceparent` header, where it has one. */
  readonly traceId?: string
  /** The API of the request, `unknown` where it is none we know. */
  readonly dialect: string
  readonly model: string
  /** Stands for categories, task, instruction, actions and thresholds of the options. */
  readonly policy: string
  readonly mode: 'enforce' | 'shadow'
  /** True when the client asked for a token stream. */
  readonly stream: boolean
  /** The HTTP status that was sent; 0 when the client left before there was one. */
  readonly status: number
  /** Milliseconds from the request to the end of its response. */
  readonly ms: number
  /** True when at least one stage has a verdict. Every other request is counted in `notJudged`. */
  readonly judged: boolean
  /** The stage that decided: the one that was refused, else the last that was judged. */
  readonly stage?: Stage
  readonly verdict?: Outcome['state']
  readonly action: Decision['action']
  readonly categories: readonly string[]
  readonly code?: string
  readonly score?: number
  readonly amount: JudgedAmount
  readonly notJudged: readonly NotJudged[]
  /** Both stages, each as `onVerdict` was told of it. */
  readonly stages: readonly VerdictEvent[]
  /** HMAC-SHA256 of what was judged, with the audit's `secret`: the newest user turn, and each choice of the reply. */
  readonly hmac?: { readonly input?: string; readonly output?: readonly string[] }
}

/** What became of changes to the file that `LLAMA_GUARD_POLICY` names. */
export interface PolicyStats {
  readonly loaded: number
  /** Changes that were wrong; the policy before stayed in force. */
  readonly rejected: number
}

/** What a handler finds on `req.llamaGuard`. */
export interface RequestState {
  readonly requestId: string
  /** Aborted when the reply is blocked or the client has left. Pass it to your call to the model. */
  readonly signal: AbortSignal
  /** The input decision. With `parallel` it is undefined until the check is done. */
  input?: Decision
  /** The output decision; undefined until there is one. */
  output?: Decision
}

declare global {
  // Express merges this interface into the type of its requests, so that `req.llamaGuard` needs no cast in an app.
  namespace Express {
    interface Request {
      /**
       * The decisions of express-llama-guard on this request. Undefined where the middleware is not mounted or lets
       * the request pass.
       */
      llamaGuard?: RequestState
    }
  }
}

export type GuardedRequest = IncomingMessage & {
  body?: unknown
  originalUrl?: string
  llamaGuard?: RequestState
  log?: Logger
  id?: unknown
}
export type Next = (error?: unknown) => void
/**
 * A connect-style middleware. It works with Express 4 and 5, connect and polka, and as `(req, res) => mw(req, res, ()
 * => ...)` with node:http.
 */
export type Middleware = (req: IncomingMessage, res: ServerResponse, next: Next) => void
