// The options of llamaGuard(): this TSDoc is the reference. Values come from code, else from LLAMA_GUARD_*
// variables, else the default:
// config.ts reads them.
import type { IncomingMessage } from 'node:http'
import type { Dialect } from '../dialects/dialect.js'
import { type ModelName, MODELS } from '../guard/prompt/index.js'
import type { AuditOption } from '../telemetry/audit/index.js'
import type {
  Category,
  CategoryAction,
  Decision,
  Guard,
  GuardedRequest,
  Logger,
  RefusalText,
  Stage,
  VerdictEvent,
} from '../types.js'
import type { HttpUpstreamOptions, SageMakerChatOptions } from '../upstream/index.js'

export { MODELS, type ModelName }
export const BACKENDS = ['sagemaker', 'openai', 'local', 'llama-cpp'] as const
export type Backend = (typeof BACKENDS)[number]

/** What may differ from request to request; `override(req)` returns these. */
export interface RequestOptions {
  /** Stages that judge. The other passes as `skipped`. Default: both. */
  check?: readonly Stage[]
  /** `shadow` judges, logs, counts and sets headers, but blocks nothing and refuses nothing. Default: `enforce`. */
  mode?: 'enforce' | 'shadow'
  /**
   * What happens when the guard could not judge, on request, reply and stream alike. `closed` answers 503;
   * `open` lets it through and says `unjudged` in the header, log and metric. A client's own fault (4xx) does
   * not depend on it. Default: `closed`.
   */
  onError?: 'closed' | 'open'
  /**
   * Probability of unsafe, 0 to 1, from which a text counts as unsafe; needs token log probabilities.
   * Default: none, the model's own word.
   */
  threshold?: number
  /** Thresholds of single categories, by id, for guards that give category scores. Default: none. */
  categoryThresholds?: Readonly<Record<string, number>>
  /** Action per category id, for example `{ S5: 'flag', S13: 'ignore' }`. Default: `block` for every category. */
  actions?: Readonly<Record<string, CategoryAction>>
  /** Start the downstream beside the input check. Nothing is released before both are done. Default: false. */
  parallel?: boolean
  /**
   * How a token stream is judged: `window` releases each judged prefix, `full` holds the whole reply, `async`
   * releases at once and stops when unsafe (unjudged text reaches the client). Default: `window`.
   */
  streaming?: 'window' | 'full' | 'async'
  /** The most new text, in characters, before the next check of a stream. Default: 400. */
  windowChars?: number
  /** The longest that text of a stream is held before the next check starts, in milliseconds. Default: 1000. */
  windowMs?: number
  /**
   * Lets keep-alive comments, `retry:` lines and empty chunks of a stream leave before its first verdict, once
   * the input is safe. They open the head with status 200, so a reply that is unsafe from its first word ends
   * with `finish_reason: "content_filter"` and not with a 451. Default: false.
   */
  keepAlive?: boolean
  /**
   * `last` judges the newest user turn with the rest as context; `all` judges every user turn within its own
   * prefix. Default: `last`.
   */
  turns?: 'last' | 'all'
  /** System and developer text: `judge` it as a turn of its own, or `trust` it. Default: `judge`. */
  system?: 'judge' | 'trust'
  /**
   * Images with a text-only model: `refuse` answers 400 `unsupported_content`, `ignore` judges the text
   * alone. Default: `refuse`.
   */
  images?: 'refuse' | 'ignore'
  /**
   * A body that is no chat we know. `judge` judges every word of it and of the reply; `warn` lets it through with a
   * header, an event and one log line per method and path; `pass` with the event alone; `refuse` answers 400
   * `unreadable_request`. Default: `judge` where the guard is mounted on a route or `paths` names the path, `warn`
   * elsewhere.
   */
  unknown?: 'judge' | 'warn' | 'pass' | 'refuse'
  /** Keeps the verdict cache of one tenant apart from the others'. Default: none. */
  tenant?: string
  /**
   * Page about your content policy, sent with every 451 as `Link: <URL>; rel="blocked-by"` (RFC 7725).
   * Default: none.
   */
  policyUrl?: string
  /**
   * What a block is answered with. `error`: the status `blockStatus` and an error that names the categories.
   * `refusal`: 200 and a reply of the client's own API, JSON or stream as it asked, in which the model declines with
   * `refusalText`; the `Llama-Guard` header says `unsafe` as before. Default: `error`.
   */
  onBlock?: 'error' | 'refusal'
  /**
   * The words of a refusal, and the `message` of an error: one text, texts by language (`{ en, de }`, chosen by
   * Accept-Language), either by stage (`{ input, output }`), or a function of the decision and the request. Default: a
   * neutral sentence for refusals, and the names of the categories for errors.
   */
  refusalText?: RefusalText
  /**
   * Status of a block with `onBlock: 'error'`, 400 to 499. For clients that retry what they do not know (LangChain
   * retries 451, and not 400). Default: 451.
   */
  blockStatus?: number
  /** The JSON body of a block, in place of the dialect's. When it throws or returns undefined: the dialect's. */
  refusal?: (decision: Decision, req: GuardedRequest) => unknown
}

/**
 * Another chat model to call when the request is safe, instead of `next()`: the base URL of an
 * OpenAI-compatible API, the same with more say, a chat model on a SageMaker endpoint, or an object of your
 * own.
 */
export type UpstreamOption =
  string | HttpUpstreamOptions | SageMakerChatOptions | { forward(call: never): Promise<void>; close?(): Promise<void> }

/** What makes one guard of a panel or a cascade; the same options as for the middleware. Variables do not fill them. */
export type GuardOptions = Pick<
  Options,
  | 'guard'
  | 'endpoint'
  | 'inferenceComponent'
  | 'targetVariant'
  | 'guardUrl'
  | 'guardApiKey'
  | 'guardModel'
  | 'modelPath'
  | 'model'
  | 'categories'
  | 'task'
  | 'instruction'
  | 'controversial'
  | 'firstToken'
  | 'timeoutMs'
  | 'concurrency'
>

/** See {@link Options.cascade}. */
export interface CascadeOption {
  readonly first: Guard | GuardOptions
  /** 0 to 1. */
  readonly safeBelow: number
  /** 0 to 1, not less than `safeBelow`. */
  readonly unsafeAbove: number
}

/** Settings of the middleware. `Req` is the request type of its hooks, for example Express' own `Request`. */
export interface Options<Req extends IncomingMessage = GuardedRequest> extends RequestOptions {
  /**
   * Where the guard model runs, or any object with `judge()`. `local` is a baseline screen, not Llama Guard.
   * Default: `sagemaker`.
   */
  guard?: Backend | Guard
  /**
   * Guards that judge beside the one of `guard`, as a panel: one unsafe verdict blocks, and one failure makes the panel
   * fail. Each is a guard object, or the options of one (`{ model, endpoint }`); in the variable a text such as
   * `prompt-guard-2@my-endpoint,qwen3guard-4b@other`. Without `guard`, `endpoint`, `guardUrl` and `modelPath` they are
   * the whole panel. Default: none.
   */
  guards?: readonly (Guard | GuardOptions)[]
  /**
   * A small guard before the other ones: its verdict is final when it is safe with a score below `safeBelow` or
   * unsafe with a score above `unsafeAbove`. Everything else, and every failure of it, goes to the others. It must
   * give scores; it has half of `timeoutMs`. Default: none.
   */
  cascade?: CascadeOption
  /** Guards asked in turn when the ones before could not judge (an unsafe verdict is final). Default: none. */
  fallback?: readonly Guard[]
  /** A guard whose verdict on a sample of traffic is only logged and compared. `rate` is 0 to 1. Default: none. */
  shadowGuard?: { readonly guard: Guard; readonly rate: number }
  /**
   * SageMaker endpoint name; required for `sagemaker`. Region, credentials and endpoint URL come from the AWS
   * SDK's own variables.
   */
  endpoint?: string
  /** SageMaker inference component behind the endpoint. Default: none. */
  inferenceComponent?: string
  /** SageMaker production variant. Default: none. */
  targetVariant?: string
  /** Base URL of an OpenAI-compatible server for `openai`, for example `http://localhost:8000/v1`. */
  guardUrl?: string
  /** Bearer token for `guardUrl`. Never logged. Default: none. */
  guardApiKey?: string
  /** Model id that `guardUrl` knows the guard by. Default: none. */
  guardModel?: string
  /**
   * Path of a Llama Guard GGUF file for `llama-cpp`, which needs the package node-llama-cpp. Text only.
   * Default: none.
   */
  modelPath?: string
  /**
   * Guard model behind the endpoint: decides prompt format, taxonomy and context length. Default: `llama-guard-1`.
   */
  model?: ModelName
  /** What to do about Qwen3Guard-Gen's level Controversial (categories C1 to C9). Default: `block`. */
  controversial?: CategoryAction
  /**
   * Your own policy instead of the model's taxonomy: a list, or the text between the category markers word
   * for word.
   */
  categories?: string | readonly Category[]
  /** Task line of the prompt, word for word; `{role}` becomes User or Agent. Default: the model's own. */
  task?: string
  /** Closing instruction of the prompt, word for word; `{role}` becomes User or Agent. Default: the model's own. */
  instruction?: string
  /**
   * Decide `safe` at the first token through a response stream instead of waiting for the whole answer.
   * Default: false.
   */
  firstToken?: boolean
  /**
   * One judgement's whole budget, retries and queueing included, in milliseconds. Past it: `guard_timeout`.
   * Default: 10000.
   */
  timeoutMs?: number
  /** Calls one judgement may make to one guard, the first included. Default: 2. */
  maxAttempts?: number
  /**
   * Send a second call when the first has not answered after this many milliseconds; at most 5 % extra calls.
   * Default: off.
   */
  hedgeAfterMs?: number
  /** Guard calls in flight at once; also the size of the socket pool. Default: 256. */
  concurrency?: number
  /**
   * Requests that may wait for their first place at the guard; past it: `guard_overloaded`. Those that wait take
   * turns, so that a long request does not hold up a short one. Default: 1024.
   */
  queue?: number
  /** Stop calling a guard that keeps failing, and probe it now and then. Default: true. */
  breaker?: boolean
  /**
   * The most conversations and pieces of one request that each guard is asked about, 1 to 256. Pieces whose verdict
   * is remembered in process do not count. Past it: 413 `too_many_checks`, whatever `onError` says. Default: 32.
   */
  maxChecks?: number
  /** Verdicts remembered in process; 0 turns the cache off. Default: 10000. */
  cacheMax?: number
  /** How long a verdict is remembered, in milliseconds. Default: 300000. */
  cacheTtlMs?: number
  /** Shared store behind the in-process cache: a Redis URL or any object with `get` and `set`. Default: none. */
  cacheStore?:
    | string
    | {
        get(key: string): Promise<string | undefined>
        set(key: string, value: string, ttlMs: number): Promise<void>
        close?(): Promise<void>
      }
  /**
   * Seals what is kept behind a Redis URL with an HMAC under this secret, the same on every replica. Never
   * logged. Default: none.
   */
  cacheSecret?: string
  /** Largest request body that is read, in bytes, before and after decompression. Past it: 413. Default: 1 MiB. */
  maxBodyBytes?: number
  /** Most bytes of a reply held at once. Past it: 503 `reply_too_large`. Default: 4 MiB. */
  maxReplyBytes?: number
  /**
   * Where a safe request goes: a base URL, `{ url, apiKey }`, `{ endpoint }` on SageMaker, or your own.
   * Default: `next()`.
   */
  upstream?: UpstreamOption
  /**
   * Guard these paths (exact, or a prefix ending in `*`) and no other. `/events?message` names query parameters that
   * hold the user's words, for GET requests such as an EventSource's; a GET on a path named without them is 400.
   * Default: every path.
   */
  paths?: readonly string[]
  /**
   * Dialects in use, by name or your own. Default: all built-in ones, `prompt` and `input` bodies only on
   * their own paths.
   */
  dialects?: readonly (string | Dialect)[]
  /**
   * Where the user's words stand in a body of your own shape, as a path of keys: `message`, `input.text`, `chat.0.say`.
   * A body that has a text there is a chat. Everything else in it is judged too. Default: none.
   */
  text?: string
  /** Where the model's words stand in a JSON reply, or in each event of a stream, to `text`. Default: everywhere. */
  reply?: string
  /** A pino-like logger. `req.log` wins when present. Default: pino at `LLAMA_GUARD_LOG_LEVEL` (info). */
  logger?: Logger
  /** Level of the default logger. Default: `info`. */
  logLevel?: 'silent' | 'error' | 'warn' | 'info' | 'debug'
  /**
   * A row for every request that reached the middleware, judged or passed: verdicts, what was not judged and why,
   * times; no chat content. The path of a file (JSON Lines, rotated), `{ path, maxBytes, keep, chain, secret }`, or
   * your own `{ write(event) }`. Requests never wait for it: rows that cannot be written are dropped, counted in
   * `stats()` and logged. Default: none.
   */
  audit?: AuditOption
  /** Told of every judgement; holds no chat content. A throw is logged and has no effect. */
  onVerdict?: (event: VerdictEvent) => void
  /** Requests for which this returns true pass untouched, both ways. A throw refuses the request. */
  skip?: (req: Req) => boolean
  /** Options for this request or tenant. A throw refuses the request. */
  override?: (req: Req) => RequestOptions | undefined
}
