// The public API. Nothing but exports.
/** The middleware. */
export { llamaGuard, type LlamaGuard } from './llama-guard.js'
/** `POST /v1/moderations` on its own. */
export { moderations, type Moderations } from './moderations/index.js'
export type { Options, RequestOptions, UpstreamOption, Backend, ModelName } from './options/index.js'
/** Guards to fall back on, to compare with, or to sit on a panel. */
export { createGuard } from './create-guard.js'
export { anyUnsafe } from './guard/panel.js'
/** A shared verdict cache with more say than a URL gives. */
export { redisStore, type RedisStoreOptions } from './guard/cache/redis-store.js'
export type { CacheStore } from './guard/cache/store.js'
/** An API of your own. */
export { customDialect, type CustomDialectOptions, type CustomRequest, type CustomTurn } from './dialects/custom.js'
export type {
  ChatRequest,
  Dialect,
  Refusal,
  ReplyChoice,
  StreamDelta,
  StreamEvent,
  StreamReader,
} from './dialects/dialect.js'
/** Errors, to be told apart by `code`. */
export { LlamaGuardError, isLlamaGuardError, type ErrorCode } from './errors.js'
/** For guards of your own, `onVerdict`, and what handlers find on `req.llamaGuard`. */
export type {
  Category,
  CategoryAction,
  Conversation,
  Decision,
  Guard,
  GuardedRequest,
  Image,
  Judgement,
  JudgeOptions,
  Logger,
  Outcome,
  RequestState,
  Role,
  Stage,
  Turn,
  Verdict,
  VerdictEvent,
} from './types.js'
