// The vocabulary every stage shares: turns in, verdicts and decisions out. Types only, no logic.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { LlamaGuardError } from './errors.js'

/** Llama Guard's own labels for the two sides of a conversation. Tool results count as User, the model as Agent. */
export type Role = 'User' | 'Agent'

/** Which side of the model is judged: `input` is what the user sends, `output` what the model answers. */
export type Stage = 'input' | 'output'

/** One image of a turn, as the request carried it: a `data:` URL or an http(s) URL. */
export interface Image {
  readonly url: string
}

/** One speaker's uninterrupted say. Neighbours of the same role are merged before anyone sees them. */
export interface Turn {
  readonly role: Role
  readonly text: string
  readonly images?: readonly Image[]
}

/** What a guard is asked about: the last turn is judged, the turns before it are context. Never empty. */
export type Conversation = readonly Turn[]

/** What the guard model said. A failure to say anything is a {@link LlamaGuardError}, never a verdict. */
export interface Verdict {
  readonly safe: boolean
  /**
   * Ids of the violated categories that the policy knows, for example `["O3"]`. Empty when safe, or when the
   * model named none.
   */
  readonly categories: readonly string[]
  /** Category ids the model named that the policy does not know. They block: an unknown hazard is still a hazard. */
  readonly unknown?: readonly string[]
  /**
   * The answer hit its token limit, so the category list may be cut (`S1` for `S14`): no per-category
   * leniency applies.
   */
  readonly truncated?: boolean
  /** Probability of "unsafe", 0 to 1, when the backend gives token log probabilities. */
  readonly score?: number
  /** Probability of each category, 0 to 1, where the guard can tell them apart. */
  readonly categoryScores?: Readonly<Record<string, number>>
  /** Name of the guard that gave this verdict, when several could have. */
  readonly judgedBy?: string
  /** Name of the guard that named a category, by category id, when a panel judged. */
  readonly namedBy?: Readonly<Record<string, string>>
  /** Calls the verdict took, retries included. */
  readonly attempts?: number
  /** Tokens the guard model read and wrote, when the backend counts them. */
  readonly tokens?: { readonly input?: number; readonly output?: number }
  /** True when the verdict was remembered, not asked for. */
  readonly cached?: boolean
}

export interface JudgeOptions {
  /**
   * Aborted when the judgement's deadline passes or nobody waits for it any more. Take it by its name, as in
   * `judge(conversation, { signal })`: it is made when it is first looked at, and a spread would leave it
   * behind.
   */
  readonly signal?: AbortSignal
  /** The stage, for guards that treat input and output differently. */
  readonly stage?: Stage
}

/**
 * Anything that can judge a conversation. Throw (ideally a {@link LlamaGuardError}) when you cannot: never
 * guess "safe".
 */
export interface Guard {
  /** Shown in logs and error bodies as `model`. Default: `"custom"`. */
  readonly model?: string
  /** Sets this guard apart in the verdict cache: endpoint, URL, policy. Default: unique to the object. */
  readonly identity?: string
  /** True when it sees images. Default: false. */
  readonly vision?: boolean
  /**
   * The roles whose turns it judges. A panel asks it about those alone; a guard that judges one role only must sit on a
   * panel with others. Default: both.
   */
  readonly judges?: readonly Role[]
  /** True when every verdict has a score, as the first guard of a cascade must. Default: false. */
  readonly scored?: boolean
  /** Category ids and names this guard may answer with. */
  readonly categories?: readonly Category[]
  /**
   * Splits a conversation that does not fit the guard's context into pieces that do; any unsafe piece decides.
   * Default: the conversation as it is.
   */
  fit?(conversation: Conversation): readonly Conversation[]
  judge(conversation: Conversation, options: JudgeOptions): Promise<Verdict>
  /** Frees sockets and models. Called once, when the middleware is closed. */
  close?(): void | Promise<void>
}

/**
 * What to do when the guard names a category: `block` answers 451, `flag` lets it pass but says so, `ignore`
 * is as if safe.
 */
export type CategoryAction = 'block' | 'flag' | 'ignore'

/** One hazard category of the policy. */
export interface Category {
  /** Id the model answers with: `O3`, `S12`, or your own, one letter and a number. */
  readonly id: string
  /** Short name as it is printed in the prompt and in 451 bodies. */
  readonly name: string
  /** Plain text under the name, printed as it is. Wins over `shouldNot`, `can` and `should`. */
  readonly description?: string
  readonly shouldNot?: readonly string[]
  readonly can?: readonly string[]
  readonly should?: readonly string[]
  /** Default: `block`. */
  readonly action?: CategoryAction
}

/** The answer of one judgement (all its pieces merged), or why there is none. */
export type Judgement =
  | { readonly verdict: Verdict; readonly ms: number; readonly model: string }
  | { readonly error: LlamaGuardError; readonly ms: number; readonly model: string }

/** What the policy makes of the judgements of one stage. Pure data: the response stage carries it out. */
export interface Decision {
  /** `allow` releases, `block` answers 451, `unavailable` answers the error's own status (503, or a client's 4xx). */
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
  /** The guard that named it, when a panel judged. */
  readonly guard?: string
}

/**
 * Why a stage, or a part of it, was not judged. A closed set: these are values of the header and labels of metrics.
 *
 * - `unknown-body`: a body that is no chat we know, let through by the option `unknown`.
 * - `no-body`: nothing was sent, or a response without a body.
 * - `path`: the option `paths` does not name this path.
 * - `stage-off`: the option `check` leaves the stage out.
 * - `skip-hook`: the hook `skip` said so.
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
  /** Error code, when unjudged. */
  readonly code?: string
  /** Why nothing was judged, when skipped. */
  readonly why?: NotJudgedReason
  readonly score?: number
  readonly cached?: boolean
  /** The guard that judged, when it was not the first choice. */
  readonly by?: string
}

/**
 * One text, or texts by language tag (`en`, `de`, `pt-BR`). The first is taken when the client asks for none of them.
 */
export type TextByLanguage = string | Readonly<Record<string, string>>

/** Texts for both stages, or one for each, or a function of the decision and the request. */
export type RefusalText =
  TextByLanguage | { readonly [S in Stage]?: TextByLanguage } | ((decision: Decision, req: GuardedRequest) => string)

/** A pino-like logger. */
export interface Logger {
  debug(fields: object, message?: string): void
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
}

/** One stage of one request, judged or not, told to `onVerdict` and the log. Holds no chat content. */
export interface VerdictEvent {
  readonly requestId: string
  readonly stage: Stage
  readonly dialect: string
  readonly model: string
  /** `skipped`: the stage was not judged on purpose; `why` says for what reason. */
  readonly verdict: Outcome['state']
  readonly why?: NotJudgedReason
  /** What became of it: `allow`, `block` or `unavailable`. */
  readonly action: Decision['action']
  readonly categories: readonly string[]
  readonly code?: string
  readonly score?: number
  readonly ms: number
  readonly cached: boolean
  readonly attempts?: number
  readonly tokens?: Verdict['tokens']
  readonly judgedBy?: string
  /** Guard checks behind this event; more than one for long texts and streams. */
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
  /** Aborted when the reply is blocked or the client has left: pass it to your LLM call. */
  readonly signal: AbortSignal
  /** The input decision; with `parallel` undefined until it is known. */
  input?: Decision
  /** The output decision, once there is one. */
  output?: Decision
}

declare global {
  // Express merges this interface into the type of its requests, so that `req.llamaGuard` needs no cast in an app.
  namespace Express {
    interface Request {
      /** What express-llama-guard decided about this request. Undefined where it is not mounted, or passed. */
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
 * A connect-style middleware: Express 4 and 5, connect, polka, or `(req, res) => mw(req, res, () => ...)` on
 * bare node:http.
 */
export type Middleware = (req: IncomingMessage, res: ServerResponse, next: Next) => void
