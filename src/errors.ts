// Every way of failing, by a stable code. Match on `code`, not on the class: two copies of this package may
// be loaded (ESM and CJS).

/** status 503: could not judge. Follows `onError`. */
const UNAVAILABLE = {
  guard_unavailable: 'The guard could not be reached',
  guard_timeout: 'The guard did not answer in time',
  guard_throttled: 'The guard endpoint is throttling requests',
  guard_overloaded: 'Too many judgements are waiting for the guard',
  guard_circuit_open: 'The guard failed repeatedly and is being left alone for a moment',
  guard_not_ready: 'The guard endpoint is not in service yet',
  guard_error: 'The guard endpoint answered with an error',
  guard_rejected: 'The guard endpoint refused the call (credentials, endpoint name or payload)',
  guard_input_too_long: 'The text does not fit the guard endpoint',
  unparseable_verdict: 'The guard answered something other than safe or unsafe',
  score_unavailable: 'A threshold is set, but the guard gave no token log probabilities',
  unreadable_response: 'The reply is in a form that cannot be judged',
  reply_too_large: 'The reply is larger than maxReplyBytes',
  upstream_unavailable: 'The upstream model could not be reached',
  internal_error: 'The middleware failed',
} as const

/** A client's own fault: 4xx, whatever `onError` says. */
const CLIENT = {
  invalid_json: 400,
  unreadable_request: 400,
  unsupported_content: 400,
  body_too_large: 413,
  too_many_checks: 413,
  unsupported_media_type: 415,
} as const

/** The operator's fault, thrown when the middleware is built. */
export type ConfigurationCode =
  'unknown_option' | 'invalid_option' | 'endpoint_missing' | 'region_missing' | 'dependency_missing'

/** Could not judge: answered 503. */
export type UnavailableCode = keyof typeof UNAVAILABLE
/** What a client sent: answered 4xx. */
export type ClientCode = keyof typeof CLIENT
/** Every code a {@link LlamaGuardError} can carry. */
export type ErrorCode = UnavailableCode | ClientCode | ConfigurationCode

/** Where every code has a section of its own: what it means, and what to do. A test compares it with package.json. */
const HELP = 'https://github.com/express-llama-guard/express-llama-guard/blob/main/REFERENCE.md'

const MARK = Symbol.for('express-llama-guard.error')

export interface ErrorDetails {
  cause?: unknown
  /** Seconds a client should wait before it tries again. Default for 503: 1. */
  retryAfter?: number
  /** True when it failed for what a client sent: 413 in place of 503, and `onError` does not open it. */
  clientFault?: boolean
  /** Whether asking the same guard again may help. Default: false. */
  retryable?: boolean
}

/**
 * The one error class of the package. `message` says what came in, what was wanted and what to do, and never
 * quotes chat content.
 */
export class LlamaGuardError extends Error {
  override readonly name = 'LlamaGuardError'
  readonly code: ErrorCode
  /** HTTP status a client sees. Express reads it too. 500 for configuration errors. */
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

  /** True for what a client sent, which `onError` does not cover. */
  get clientFault(): boolean {
    return this.status >= 400 && this.status < 500
  }
}

/** Recognises our errors across duplicate installs. */
export function isLlamaGuardError(value: unknown): value is LlamaGuardError {
  return typeof value === 'object' && value !== null && MARK in value
}

/** Our errors as they are; anything else becomes `fallback` with the original as cause. */
export function toLlamaGuardError(value: unknown, fallback: UnavailableCode = 'internal_error'): LlamaGuardError {
  return isLlamaGuardError(value) ? value : new LlamaGuardError(fallback, undefined, { cause: value })
}
