// The options of llamaGuard(). This TSDoc is the reference. A value comes from code, else from a LLAMA_GUARD_*
// variable, else from the default; config.ts reads them.
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

/** The options that may differ between requests. `override(req)` returns these. */
export interface RequestOptions {
  /** The stages that are judged. The other stage passes as `skipped`. Default: both. */
  check?: readonly Stage[]
  /** `shadow` judges, logs, counts and sets headers, but blocks nothing and refuses nothing. Default: `enforce`. */
  mode?: 'enforce' | 'shadow'
  /**
   * What happens when the guard could not judge a request, a reply or a part of a stream. `closed` answers 503.
   * `open` lets it through and says `unjudged` in header, log and metric. A client's own fault (4xx) does not depend
   * on it. Default: `closed`.
   */
  onError?: 'closed' | 'open'
  /**
   * The probability of unsafe, 0 to 1, from which a text counts as unsafe. It needs token log probabilities. Default:
   * none, the model's own word decides.
   */
  threshold?: number
  /** Thresholds of single categories by id, 0 to 1, for guards that give category scores. Default: none. */
  categoryThresholds?: Readonly<Record<string, number>>
  /** The action per category id, for example `{ S5: 'flag', S13: 'ignore' }`. Default: `block` for every category. */
  actions?: Readonly<Record<string, CategoryAction>>
  /**
   * Starts the handler at the same time as the input check. Nothing is released before the input verdict and the
   * reply's own verdict. Default: false.
   */
  parallel?: boolean
  /**
   * How a token stream is judged. `window` releases each judged prefix. `full` holds the whole reply. `async`
   * releases at once and stops when a check says unsafe, so unjudged text reaches the client. Default: `window`.
   */
  streaming?: 'window' | 'full' | 'async'
  /** The most characters of new text before the next check of a stream. Default: 400. */
  windowChars?: number
  /** The most milliseconds that text of a stream waits before the next check starts. Default: 1000. */
  windowMs?: number
  /**
   * Lets keep-alive comments, `retry:` lines and empty chunks of a stream leave before its first verdict, once the
   * input is safe. They send the head with status 200. A reply that is unsafe from its first word then ends with
   * `finish_reason: "content_filter"` and not with a 451. Default: false.
   */
  keepAlive?: boolean
  /**
   * Which user turns are judged. `last` judges the newest one with the rest as context. `all` judges every one with
   * the turns before it as context. Default: `last`.
   */
  turns?: 'last' | 'all'
  /**
   * What happens to system and developer text. `judge` judges it as a turn of its own. `trust` does not judge it.
   * Default: `judge`.
   */
  system?: 'judge' | 'trust'
  /**
   * What happens to images when the model reads only text. `refuse` answers 400 `unsupported_content`. `ignore`
   * judges the text alone. Default: `refuse`.
   */
  images?: 'refuse' | 'ignore'
  /**
   * What happens to a body that is no known chat. `judge` judges every word of it and of the reply. `warn` lets it
   * through with a header, an event and one log line per method and path. `pass` lets it through with the event only.
   * `refuse` answers 400 `unreadable_request`. Default: `judge` where the guard is mounted on a route or `paths`
   * names the path, `warn` elsewhere.
   */
  unknown?: 'judge' | 'warn' | 'pass' | 'refuse'
  /** Separates the cached verdicts of one tenant from those of others. Default: none. */
  tenant?: string
  /**
   * URL of a page about your content policy. Every 451 carries it as `Link: <URL>; rel="blocked-by"` (RFC 7725).
   * Default: none.
   */
  policyUrl?: string
  /**
   * How a block is answered. `error`: the status `blockStatus` and an error that names the categories. `refusal`: 200
   * and a reply of the client's own API, JSON or stream as requested, in which the model declines with `refusalText`.
   * The `Llama-Guard` header says `unsafe` in both cases. Default: `error`.
   */
  onBlock?: 'error' | 'refusal'
  /**
   * The words of a refusal, and the `message` of an error. It is one text, texts by language (`{ en, de }`, chosen by
   * Accept-Language), either of these by stage (`{ input, output }`), or a function of the decision and the request.
   * Default: a neutral sentence for refusals, and the names of the categories for errors.
   */
  refusalText?: RefusalText
  /**
   * The status of a block with `onBlock: 'error'`, 400 to 499. Change it for clients that retry unknown statuses:
   * LangChain retries 451 but not 400. Default: 451.
   */
  blockStatus?: number
  /** Makes the JSON body of a block. Default, and when it throws or returns undefined: the dialect's own body. */
  refusal?: (decision: Decision, req: GuardedRequest) => unknown
}

/**
 * A chat model that is called when the request is safe, instead of `next()`: the base URL of an OpenAI-compatible
 * API, an object with that URL and further settings, a chat model on a SageMaker endpoint, or an object of your own.
 */
export type UpstreamOption =
  string | HttpUpstreamOptions | SageMakerChatOptions | { forward(call: never): Promise<void>; close?(): Promise<void> }

/**
 * The options of one guard of a panel or a cascade. They mean the same as for the middleware. Variables do not set
 * them.
 */
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
  /** A safe verdict with a score below this is final. 0 to 1. */
  readonly safeBelow: number
  /** An unsafe verdict with a score above this is final. 0 to 1, not less than `safeBelow`. */
  readonly unsafeAbove: number
}

/** Settings of the middleware. `Req` is the request type of its hooks, for example Express' own `Request`. */
export interface Options<Req extends IncomingMessage = GuardedRequest> extends RequestOptions {
  /**
   * Where the guard model runs, or an object with `judge()`. `local` is a baseline screen, not Llama Guard. Default:
   * `sagemaker`.
   */
  guard?: Backend | Guard
  /**
   * Guards that judge together with the one of `guard`, as a panel. One unsafe verdict blocks. One failure makes the
   * panel fail. Each is a guard object, or the options of one (`{ model, endpoint }`). The variable holds a text such
   * as `prompt-guard-2@my-endpoint,qwen3guard-4b@other`. Without `guard`, `endpoint`, `guardUrl` and `modelPath`
   * these guards are the whole panel. Default: none.
   */
  guards?: readonly (Guard | GuardOptions)[]
  /**
   * A small guard that is asked before the others. Its verdict is final when it is safe with a score below
   * `safeBelow` or unsafe with a score above `unsafeAbove`. The other guards judge everything else, and every text on
   * which it fails. It must give scores. It has half of `timeoutMs`. Default: none.
   */
  cascade?: CascadeOption
  /**
   * Guards that are asked in turn when the guards before them could not judge. An unsafe verdict is final. Default:
   * none.
   */
  fallback?: readonly Guard[]
  /**
   * A guard whose verdicts on a sample of the traffic are logged and compared, and never acted on. `rate` is 0 to 1.
   * Default: none.
   */
  shadowGuard?: { readonly guard: Guard; readonly rate: number }
  /**
   * Name of the SageMaker endpoint. Required for `sagemaker`. Region, credentials and endpoint URL come from the AWS
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
  /** The name by which the server at `guardUrl` knows the guard model. Default: none. */
  guardModel?: string
  /**
   * Path of a Llama Guard GGUF file for `llama-cpp`, which needs the package node-llama-cpp. Text only.
   * Default: none.
   */
  modelPath?: string
  /**
   * The guard model behind the endpoint. It decides prompt format, taxonomy and context length. Default:
   * `llama-guard-1`.
   */
  model?: ModelName
  /** The action for Qwen3Guard-Gen's level Controversial (categories C1 to C9). Default: `block`. */
  controversial?: CategoryAction
  /**
   * Your own policy: a list of categories, or the text that stands between the category markers, word for word.
   * Default: the model's own taxonomy.
   */
  categories?: string | readonly Category[]
  /** Task line of the prompt, word for word; `{role}` becomes User or Agent. Default: the model's own. */
  task?: string
  /** Closing instruction of the prompt, word for word; `{role}` becomes User or Agent. Default: the model's own. */
  instruction?: string
  /**
   * Decides `safe` at the first token of a response stream instead of at the end of the answer. Only `sagemaker`.
   * Default: false.
   */
  firstToken?: boolean
  /**
   * Milliseconds for one judgement, retries and queueing included. A later answer is `guard_timeout`. Default: 10000.
   */
  timeoutMs?: number
  /** The most calls of one judgement to one guard, the first included. Default: 2. */
  maxAttempts?: number
  /** Milliseconds without an answer until a second call is sent; at most 5 % extra calls. Default: no second call. */
  hedgeAfterMs?: number
  /** The most guard calls in flight at once. It is also the size of the socket pool. Default: 256. */
  concurrency?: number
  /**
   * The most requests that may wait without a guard call in flight. One more is `guard_overloaded`. Waiting requests
   * take turns, so that a long request does not delay a short one. Default: 1024.
   */
  queue?: number
  /** Stops calling a guard that keeps failing, and probes it with single calls. Default: true. */
  breaker?: boolean
  /**
   * The most conversations and pieces of one request that each guard is asked about, 1 to 256. Pieces whose verdict
   * is remembered in process do not count. More are 413 `too_many_checks`, whatever `onError` says. Default: 32.
   */
  maxChecks?: number
  /** The most verdicts remembered in process. 0 turns the cache off. Default: 10000. */
  cacheMax?: number
  /** Milliseconds for which a verdict is remembered. Default: 300000. */
  cacheTtlMs?: number
  /** A shared store behind the cache in process: a Redis URL, or an object with `get` and `set`. Default: none. */
  cacheStore?:
    | string
    | {
        get(key: string): Promise<string | undefined>
        set(key: string, value: string, ttlMs: number): Promise<void>
        close?(): Promise<void>
      }
  /**
   * Seals the entries behind a Redis URL with an HMAC under this secret. Every replica needs the same one. Never
   * logged. Default: none.
   */
  cacheSecret?: string
  /** The most bytes of a request body, before and after decompression. A larger body is 413. Default: 1 MiB. */
  maxBodyBytes?: number
  /** The most bytes of a reply held at once. A larger reply is 503 `reply_too_large`. Default: 4 MiB. */
  maxReplyBytes?: number
  /**
   * Where a safe request goes: a base URL, `{ url, apiKey }`, `{ endpoint }` on SageMaker, or an object of your own.
   * Default: `next()`.
   */
  upstream?: UpstreamOption
  /**
   * The paths that are guarded, exact or a prefix ending in `*`. All other paths pass. `/events?message` names query
   * parameters that hold the user's words, for GET requests such as those of an EventSource. A GET on a named path
   * without such parameters is 400. Default: every path.
   */
  paths?: readonly string[]
  /**
   * The dialects in use, by name or your own. Default: all built-in ones; bodies with `prompt` or `input` count only
   * on those dialects' own paths.
   */
  dialects?: readonly (string | Dialect)[]
  /**
   * The place of the user's words in a body of your own shape, as a path of keys: `message`, `input.text`,
   * `chat.0.say`. A body with a text there is a chat. Everything else in the body is judged too. Default: none.
   */
  text?: string
  /**
   * The place of the model's words in a JSON reply, or in each event of a stream, for the option `text`. Default:
   * every string of the reply.
   */
  reply?: string
  /** A pino-like logger. `req.log` is used instead when present. Default: pino at `LLAMA_GUARD_LOG_LEVEL` (info). */
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
  /**
   * Requests for which this returns true pass unjudged, and so do their replies. An exception of the function refuses
   * the request. Default: none.
   */
  skip?: (req: Req) => boolean
  /** Returns options for this request or tenant. An exception of the function refuses the request. Default: none. */
  override?: (req: Req) => RequestOptions | undefined
}
