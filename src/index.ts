// The public API. Nothing but exports.
/** The middleware. */
export { llamaGuard, type LlamaGuard } from './llama-guard.js'
export type { Options, RequestOptions, UpstreamOption, Backend, ModelName } from './options.js'
/** Errors, to be told apart by `code`. */
export { LlamaGuardError, isLlamaGuardError, type ErrorCode } from './errors.js'
/** For guards of your own, `onVerdict`, and what handlers find on `req.llamaGuard`. */
export type { Category, CategoryAction, Conversation, Decision, Guard, GuardedRequest, Image, JudgeOptions, Logger, Outcome, RequestState, Role, Stage, Turn, Verdict, VerdictEvent } from './types.js'
