// What is told of a judgement and of a request: log lines, hooks, channels, the audit. No chat content is in it.
import type { Stage } from './conversation.js'
import type { Verdict } from './guard.js'
import type { Decision, NotJudged, NotJudgedReason, Outcome } from './decision.js'

/** A pino-like logger. */
export interface Logger {
  debug(fields: object, message?: string): void
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
}

/** Fields that the option `context` gives a request: tenant, user, session. */
export type RequestFields = Readonly<Record<string, string | number | boolean>>

/** The event of one stage of one request, judged or not. `onVerdict` and the log get it. It holds no chat content. */
export interface VerdictEvent {
  readonly requestId: string
  /** What the option `context` says of the request. */
  readonly context?: RequestFields
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
  /** The most tries of one guard call behind this event, the first included. */
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

/** Milliseconds that the guard kept a request and its reply waiting. A field is absent where nothing had to wait. */
export interface AddedLatency {
  /** The wait for the verdict on the request, before the handler starts. Absent with `parallel`. */
  readonly input?: number
  /** From the first byte that the handler gave to the first byte of the reply that left. */
  readonly firstByte?: number
  /** From the end that the handler gave to the end that left. Absent for a reply that was refused or broke off. */
  readonly lastByte?: number
}

/**
 * One request that reached the middleware, judged or passed, told when its response has closed: a message of the
 * channel `express-llama-guard:request` and a row of the audit. Holds no chat content.
 */
export interface RequestEvent {
  /** When the request came in, ISO 8601. */
  readonly time: string
  readonly requestId: string
  /** What the option `context` says of the request. */
  readonly context?: RequestFields
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
  /** What of it the guard added. */
  readonly added: AddedLatency
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

/** One side of a comparison. Holds no chat content. */
export interface ComparedVerdict {
  readonly model: string
  readonly verdict: 'safe' | 'unsafe' | 'unjudged'
  readonly categories: readonly string[]
  readonly score?: number
  /** The error code when the verdict is `unjudged`. */
  readonly code?: string
  readonly ms: number
}

/** What the guard and the one on trial (`guards: [{ shadow }]`) said of the same text. */
export interface CompareEvent {
  readonly stage: Stage
  /** True when both guards judged, and both said safe or both said unsafe. */
  readonly agree: boolean
  readonly primary: ComparedVerdict
  readonly shadow: ComparedVerdict
}
