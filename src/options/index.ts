// The options of llamaGuard(). This TSDoc is the reference. A value comes from code, else from a LLAMA_GUARD_*
// variable, else from the default; config.ts reads them.
import type { IncomingMessage } from 'node:http'
import type { Dialect } from '../dialects/dialect.js'
import { type ModelName, MODELS } from '../guard/prompt/index.js'
import type { AuditOption } from '../telemetry/audit/index.js'
import type { CategoryAction, Guard, GuardedRequest, Logger, RequestFields, ToolCall, VerdictEvent } from '../types.js'
import type { HttpUpstreamOptions, SageMakerChatOptions } from '../upstream/index.js'
import type { PolicyOptions, RequestOptions } from './request-options.js'

export type { PolicyOptions, RequestOptions, RequestPolicy } from './request-options.js'
export { MODELS, type ModelName }
export const BACKENDS = [
  'sagemaker',
  'openai',
  'local',
  'llama-cpp',
  'bedrock',
  'bedrock-guardrail',
  'openai-moderation',
] as const
export type Backend = (typeof BACKENDS)[number]

/**
 * A chat model that is called when the request is safe, instead of `next()`: the base URL of an OpenAI-compatible
 * API, an object with that URL and further settings, a chat model on a SageMaker endpoint, or an object of your own.
 */
export type UpstreamOption =
  string | HttpUpstreamOptions | SageMakerChatOptions | { forward(call: never): Promise<void>; close?(): Promise<void> }

/** A SageMaker endpoint, and what of it is asked. */
export interface EndpointOptions {
  readonly name: string
  /** The inference component behind the endpoint; an endpoint with components needs one. Default: none. */
  readonly inferenceComponent?: string
  /** The production variant. Default: none, the endpoint's own weights choose. */
  readonly variant?: string
}

/** The places of words in bodies of your own shape, as paths of keys: `message`, `input.text`, `chat.0.say`. */
export interface WordPaths {
  /** Where a request has the user's words. A body with a text there is a chat; the rest of it is judged too. */
  readonly in: string
  /**
   * Where a JSON reply, or each event of a stream, has the model's words. Default: none; every string of the reply is
   * the model's.
   */
  readonly out?: string
}

/** Settings of the middleware. `Req` is the request type of its hooks, for example Express' own `Request`. */
export interface LlamaGuardOptions<Req extends IncomingMessage = GuardedRequest> extends Omit<
  RequestOptions,
  'policy'
> {
  /**
   * Where the guard model runs, or an object with `judge()`. `local` is a baseline screen, not Llama Guard.
   * `bedrock` is a guard model on Amazon Bedrock. `bedrock-guardrail` and `openai-moderation` are services with
   * categories of their own. Default: `sagemaker`.
   */
  guard?: Backend | Guard
  /**
   * Guards beside the one of `guard`: a guard object, the options of one (`{ model, endpoint }`), or an object that
   * gives it a part of its own. Errors, logs and `doctor` count them from 0: the first is `guards[0]`.
   * - Alone it is one of a panel: one unsafe verdict blocks, and one failure makes the panel fail. Without `guard`,
   *   `endpoint`, `guardUrl` and `guardModel` these guards are the whole panel. The variable holds a text such as
   *   `prompt-guard-2@my-endpoint,qwen3guard-4b@other`.
   * - `{ first, safeBelow, unsafeAbove }`: see {@link CascadeGuard}. One at most.
   * - `{ fallback }`: asked in turn when the guards before it could not judge. An unsafe verdict is final.
   * - `{ shadow, rate }`: its verdicts on that share of the traffic, 0 to 1, are logged and compared, and never acted
   *   on. One at most.
   *
   * Default: none.
   */
  guards?: readonly GuardEntry[]
  /**
   * The SageMaker endpoint, by name or as `{ name, inferenceComponent, variant }`. Required for `sagemaker`. Region,
   * credentials and the URL of SageMaker come from the AWS SDK's own variables. Variables may give the parts that code
   * leaves out. Default: none.
   */
  endpoint?: string | EndpointOptions
  /**
   * Base URL of an OpenAI-compatible server for `openai`, for example `http://localhost:8000/v1`. Default for
   * `openai-moderation`: `https://api.openai.com/v1`.
   */
  guardUrl?: string
  /** Bearer token for `guardUrl`. Never logged. Default: none. */
  guardApiKey?: string
  /**
   * The name by which the server at `guardUrl` knows the guard model. For `llama-cpp`, which needs the package
   * node-llama-cpp: the path of a Llama Guard GGUF file, text only. For `bedrock-guardrail`, which needs the package
   * @aws-sdk/client-bedrock-runtime: the guardrail's id or ARN, and its version behind an `@` (`abc123@1`, default
   * `DRAFT`); for `bedrock`, with the same package, Bedrock's id of the model. Default: none; for
   * `openai-moderation` `omni-moderation-latest`.
   */
  guardModel?: string
  /**
   * The guard model behind the endpoint. It decides prompt format, taxonomy and context length. Default:
   * `llama-guard-1`.
   */
  model?: ModelName
  /**
   * What is unsafe, and what becomes of it: the path of a JSON file, or what such a file holds. A changed file is
   * checked, and in force for new requests within two seconds; a wrong one is logged, and the policy before stays.
   * Parts that code gives win over those of a file that the variable names. Default: the model's own policy.
   */
  policy?: string | PolicyOptions
  /**
   * Milliseconds for one judgement, retries and queueing included. A later answer is `guard_timeout`. Default: 10000.
   */
  timeoutMs?: number
  /** Milliseconds without an answer until a second call is sent; at most 5 % extra calls. Default: no second call. */
  hedgeAfterMs?: number
  /**
   * The most guard calls in flight at once. It is also the size of the socket pool. Four times as many requests may
   * wait for one; a further one is `guard_overloaded`. Waiting requests take turns. Default: 256.
   */
  concurrency?: number
  /**
   * Judges text that is encoded, as a whole or in a stretch, in decoded form too: base64, hex, escapes, rot13,
   * look-alike letters and the like, up to two of them inside each other. It costs one more check, remembered, and
   * only where words come to light. Default: true.
   */
  reveal?: boolean
  /**
   * The most conversations and pieces of one request that each guard is asked about, 1 to 256. Pieces whose verdict
   * is remembered in process do not count. More are 413 `too_many_checks`, whatever `onError` says. Default: 32.
   */
  maxChecks?: number
  /** The most verdicts remembered in process, about 0.5 kB each. 0 turns the cache off. Default: 10000. */
  cacheMax?: number
  /** Milliseconds for which a verdict is remembered. Default: 300000. */
  cacheTtlMs?: number
  /**
   * A shared store behind the cache in process: a Redis URL, or an object with `get` and `set`. `redisStore(url, {
   * secret })` seals its entries with an HMAC; every replica needs the same secret, in the variable
   * LLAMA_GUARD_CACHE_SECRET where the URL comes from one. Default: none.
   */
  cacheStore?:
    | string
    | {
        get(key: string): Promise<string | undefined>
        set(key: string, value: string, ttlMs: number): Promise<void>
        close?(): Promise<void> | void
      }
  /** The most bytes of a request body, before and after decompression. A larger body is 413. Default: 1 MiB. */
  maxBodyBytes?: number
  /** The most bytes of a reply held at once. A larger reply is 503 `reply_too_large`. Default: 4 MiB. */
  maxReplyBytes?: number
  /**
   * Where a safe request goes, with the judged body as JSON: a base URL, `{ url, apiKey }`, `{ endpoint }` on
   * SageMaker, or an object of your own. A request that is not judged goes to `next()`. Default: `next()` for all.
   */
  upstream?: UpstreamOption
  /**
   * The paths that are guarded, exact or a prefix ending in `*`. All other paths pass. On these paths the query is
   * judged too, for example that of an EventSource; a query behind a path here (`/events?message`) has no effect. A
   * request without a word in body or url passes. Default: every path.
   */
  paths?: readonly string[]
  /**
   * The APIs in use, by name or your own of `customDialect()`. `{ in, out }` adds bodies of your own shape by the
   * places of their words, and leaves the others as they are: alone, all built-in ones stay in use. One at most; the
   * variable LLAMA_GUARD_TEXT holds it as JSON, or `in` alone as text. Default: all built-in ones; bodies with `prompt`
   * or `input` count only on those dialects' own paths.
   */
  dialects?: readonly (string | Dialect | WordPaths)[]
  /**
   * A pino-like logger, or `false` for none. `req.log` is used instead when present. Default: pino at the level of
   * `LLAMA_GUARD_LOG_LEVEL` (`silent`, `error`, `warn`, `info`, `debug`; default `info`).
   */
  logger?: Logger | false
  /**
   * A row for every request that reached the middleware, judged or passed: verdicts, what was not judged and why,
   * times; no chat content. The path of a file (JSON Lines, rotated), `{ path, maxBytes, keep, chain, secret }`, or
   * your own `{ write(event) }`. Requests never wait for it: rows that cannot be written are dropped, counted in
   * `stats()` and logged. Default: none.
   */
  audit?: AuditOption
  /**
   * Asked about every call of a tool before it leaves: the calls of replies, and those that a client of the Model
   * Context Protocol makes. `block` refuses the reply, or the request, as an unsafe one, in the category `tool_call`.
   * An exception, another answer or none within `timeoutMs` is a failure to judge, and follows `onError`. Default:
   * none; the text of calls is judged in any case.
   */
  onToolCall?: (call: ToolCall, req: Req) => 'allow' | 'block' | Promise<'allow' | 'block'>
  /** Told of every judgement, without chat content, and of its request. A throw is logged and has no effect. */
  onVerdict?: (event: VerdictEvent, req: Req) => void
  /**
   * Requests for which this returns true pass unjudged, and so do their replies. An exception of the function refuses
   * the request. Default: none.
   */
  skip?: (req: Req) => boolean
  /**
   * Returns options for this request or tenant, at once or as a promise. An exception of the function refuses the
   * request. Default: none.
   */
  override?: (req: Req) => RequestOptions | undefined | Promise<RequestOptions | undefined>
  /**
   * Returns fields about this request (tenant, user, session) that stand on every log line, event, audit row, span and
   * exemplar, under `context`. A field `tenant` also separates remembered verdicts. It has to answer at once. An
   * exception of the function refuses the request. Default: none.
   */
  context?: (req: Req) => RequestFields | undefined
}

/** The options of one guard that are the middleware's too. */
export const GUARD_OPTIONS = [
  'guard',
  'endpoint',
  'guardUrl',
  'guardApiKey',
  'guardModel',
  'model',
  'timeoutMs',
  'concurrency',
] as const

/**
 * The options of one guard of a panel or a cascade. They mean the same as for the middleware. Variables do not set
 * them.
 */
export interface GuardOptions extends Pick<LlamaGuardOptions, (typeof GUARD_OPTIONS)[number]> {
  /**
   * What this guard calls unsafe; a file is read once. What becomes of it, and the `url` that clients read, belong to
   * the middleware, but for Qwen3Guard-Gen's `controversial`.
   */
  policy?:
    | string
    | (Omit<PolicyOptions, 'actions' | 'url'> & { readonly actions?: { readonly controversial: CategoryAction } })
}

/** One of {@link LlamaGuardOptions.guards}. */
export type GuardEntry =
  Guard | GuardOptions | CascadeGuard | { readonly fallback: Guard } | { readonly shadow: Guard; readonly rate: number }

/**
 * A small guard that is asked before the others. Its verdict is final when it is safe with a score below `safeBelow`
 * or unsafe with a score above `unsafeAbove`. The other guards judge everything else, and every text on which it
 * fails. It must give scores. It has half of `timeoutMs`.
 */
export interface CascadeGuard {
  readonly first: Guard | GuardOptions
  /** A safe verdict with a score below this is final. 0 to 1. */
  readonly safeBelow: number
  /** An unsafe verdict with a score above this is final. 0 to 1, not less than `safeBelow`. */
  readonly unsafeAbove: number
}
