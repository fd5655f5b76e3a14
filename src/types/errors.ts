// All errors, by a stable code. Compare `code` and not the class, because two copies of this package may be loaded
// (ESM and CJS).

/** Status 503: could not judge. `onError` applies. */
const UNAVAILABLE = {
  guard_unavailable: 'The guard could not be reached',
  guard_timeout: 'The guard did not answer in time',
  guard_throttled: 'The guard endpoint is throttling requests',
  guard_overloaded: 'Too many judgements are waiting for the guard',
  guard_circuit_open: 'The guard failed repeatedly and is being left alone for a moment',
  guard_not_ready: 'The guard endpoint is not in service yet',
  guard_error: 'The guard answered with an error',
  guard_rejected: 'The guard endpoint refused the call (credentials, endpoint name or payload)',
  guard_input_too_long: 'The text does not fit the guard endpoint',
  unparseable_verdict: 'The guard answered something other than safe or unsafe',
  score_unavailable: 'A threshold is set, but the guard gave no token log probabilities',
  unknown_language: 'The text is in a language that the guard does not know',
  unreadable_response: 'The reply is in a form that cannot be judged',
  reply_too_large: 'The reply is larger than maxReplyBytes',
  upstream_unavailable: 'The upstream model could not be reached',
  internal_error: 'The middleware failed',
} as const

/** Status 4xx: the client's own fault. `onError` does not apply. */
const CLIENT = {
  invalid_json: 400,
  unreadable_request: 400,
  unsupported_content: 400,
  body_too_large: 413,
  too_many_checks: 413,
  unsupported_media_type: 415,
} as const

/** Codes of configuration errors, thrown when the middleware is built. */
export type ConfigurationCode =
  'unknown_option' | 'invalid_option' | 'endpoint_missing' | 'region_missing' | 'dependency_missing'

/** Codes of failures to judge, answered with 503. */
export type UnavailableCode = keyof typeof UNAVAILABLE
/** Codes of faults in a client's request, answered with 4xx. */
export type ClientCode = keyof typeof CLIENT
/** Every code a {@link LlamaGuardError} can carry. */
export type ErrorCode = UnavailableCode | ClientCode | ConfigurationCode

/** Where every code has a section of its own: what it means, and what to do. A test compares it with package.json. */
const HELP = 'https://github.com/express-llama-guard/express-llama-guard/blob/main/REFERENCE.md'

const MARK = Symbol.for('express-llama-guard.error')

export interface ErrorDetails {
  cause?: unknown
  /** Seconds after which a client should try again. Default for 503: 1. */
  retryAfter?: number
  /**
   * True when the client's request caused the failure. The status is then 413 instead of 503, and `onError` does not
   * apply. Default: false.
   */
  clientFault?: boolean
  /** True when a second call to the same guard may succeed. Default: false. */
  retryable?: boolean
}

/**
 * The error class of this package. `message` says what came in, what was wanted and what to do. It never quotes chat
 * content.
 */
export class LlamaGuardError extends Error {
  override readonly name = 'LlamaGuardError'
  readonly code: ErrorCode
  /** The HTTP status that a client gets. Express reads it too. 500 for configuration errors. */
  readonly status: number
  readonly retryAfter: number | undefined
  readonly retryable: boolean
  /** URL of the section of REFERENCE.md about this code. */
  readonly help: string
  readonly [MARK] = true

  constructor(code: ErrorCode, message?: string, details: ErrorDetails = {}) {
    super(
      message ?? (UNAVAILABLE as Record<string, string>)[code] ?? code,
      details.cause === undefined ? undefined : { cause: details.cause },
    )
    this.code = code
    this.help = `${HELP}#${code}`
    this.status = details.clientFault
      ? 413
      : code in UNAVAILABLE
        ? 503
        : ((CLIENT as Record<string, number>)[code] ?? 500)
    this.retryAfter = this.status === 503 ? Math.max(1, Math.ceil(details.retryAfter ?? 1)) : details.retryAfter
    this.retryable = details.retryable ?? false
  }

  /** True for a fault in the client's request, to which `onError` does not apply. */
  get clientFault(): boolean {
    return this.status >= 400 && this.status < 500
  }
}

/** Makes errors of the codes that many places have. */
const coded =
  (code: ErrorCode) =>
  (message: string, details?: ErrorDetails): LlamaGuardError =>
    new LlamaGuardError(code, message, details)
export const invalidOption = coded('invalid_option')
export const guardError = coded('guard_error')
export const guardRejected = coded('guard_rejected')
export const unparseableVerdict = coded('unparseable_verdict')
export const upstreamUnavailable = coded('upstream_unavailable')
export const unreadableRequest = coded('unreadable_request')
export const unreadableResponse = coded('unreadable_response')
export const unsupportedContent = coded('unsupported_content')

/** True for an error of this package, from any of its copies. */
export function isLlamaGuardError(value: unknown): value is LlamaGuardError {
  return typeof value === 'object' && value !== null && MARK in value
}

const foreign = new WeakSet<object>()

/** Remembers an error of an object of the operator's, which is handed the chat and may quote it in the message. */
export function rememberForeign(error: unknown): void {
  if (typeof error === 'object' && error !== null) foreign.add(error)
}

/** True for such an error, and for one of ours that was made of it. */
export const isForeign = (error: LlamaGuardError): boolean => foreign.has(error) || foreign.has(error.cause as object)

/**
 * The part of an error that a client may see: the code and its fixed words. The error's own message is for the
 * operator. The message of a custom guard or hook may even quote the text that is withheld. The message of a client's
 * own fault is sent in full, because the client needs it to correct the request.
 */
export function publicError(error: LlamaGuardError = new LlamaGuardError('internal_error')): LlamaGuardError {
  return error.clientFault && error.code !== 'guard_input_too_long' && !isForeign(error)
    ? error
    : new LlamaGuardError(error.code, undefined, { retryAfter: error.retryAfter, clientFault: error.status === 413 })
}

/**
 * Returns an error of this package unchanged. Any other value becomes the cause of a new error with the code
 * `fallback`.
 */
export function toLlamaGuardError(value: unknown, fallback: UnavailableCode = 'internal_error'): LlamaGuardError {
  return isLlamaGuardError(value) ? value : new LlamaGuardError(fallback, undefined, { cause: value })
}
