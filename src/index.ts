// The public API. Nothing but exports.
/** The middleware. */
export { llamaGuard } from './llama-guard.js'
export type { LlamaGuard } from './llama-guard.js'
/** `POST /v1/moderations` without a guarded chat. */
export { moderations, type Moderations } from './moderations/index.js'
export type {
  LlamaGuardOptions,
  RequestOptions,
  RequestPolicy,
  PolicyOptions,
  EndpointOptions,
  WordPaths,
  UpstreamOption,
  Backend,
  CascadeGuard,
  GuardEntry,
  GuardOptions,
  ModelName,
} from './options/index.js'
export type { ChatFormat } from './upstream/sagemaker/chat-format.js'
export type { HttpUpstreamOptions, SageMakerChatOptions } from './upstream/index.js'
export type { Dashboard, DashboardOptions } from './dashboard/index.js'
export type { GuardReadiness, Readiness } from './guard/ready.js'
/** Makes guards for the option `guards`. */
export { createGuard, type CreateGuardOptions } from './services/create-guard.js'
export { anyUnsafe } from './guard/panel.js'
/** A shared verdict cache with more settings than a URL has. */
export { redisStore, type RedisStore, type RedisStoreOptions } from './guard/cache/store.js'
export type { CacheStore } from './guard/cache/store.js'
/** Describes an API of your own. */
export { customDialect, type CustomDialectOptions, type CustomRequest, type CustomTurn } from './dialects/custom.js'
export type {
  ChatRequest,
  Declined,
  Dialect,
  Framing,
  Refusal,
  ReplyChoice,
  RpcCall,
  StreamDelta,
  StreamEvent,
  StreamReader,
} from './dialects/dialect.js'
/** Channels of `node:diagnostics_channel`, and the audit: what was judged, what was not, and what it cost. */
export {
  CHANNELS,
  type CheckMessage,
  type CheckResult,
  type NotJudgedMessage,
  type RequestMessage,
  type ShadowMessage,
  type VerdictMessage,
} from './telemetry/channels.js'
export type { AuditFileOptions, AuditOption, AuditWriter } from './telemetry/audit/index.js'
/** Errors, to be told apart by `code`. */
export {
  LlamaGuardError,
  isLlamaGuardError,
  type ClientCode,
  type ConfigurationCode,
  type ErrorCode,
  type ErrorDetails,
  type UnavailableCode,
} from './types/errors.js'
/** Types for guards of your own, `onVerdict`, and `req.llamaGuard`. */
/** Counters of a guard. */
export type {
  AuditStats,
  CacheStats,
  GuardStats,
  JudgeStats,
  PolicyStats,
  ResilienceStats,
  StoreStats,
} from './types.js'
export type {
  AddedLatency,
  Category,
  CategoryAction,
  ComparedVerdict,
  CompareEvent,
  Conversation,
  Decision,
  CreatedGuard,
  Expose,
  Guard,
  GuardedRequest,
  ToolCall,
  Image,
  Judgement,
  JudgeOptions,
  Logger,
  Middleware,
  JudgedAmount,
  NamedCategory,
  Next,
  NotJudged,
  NotJudgedReason,
  Outcome,
  RefusalText,
  RequestEvent,
  RequestFields,
  RequestState,
  Role,
  Stage,
  TextByLanguage,
  Turn,
  Unjudged,
  Verdict,
  VerdictEvent,
} from './types.js'
