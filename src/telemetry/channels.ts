// What this package publishes on node:diagnostics_channel, and nothing else does: without a subscriber nothing is made,
// and a message holds no chat content. Names and message types are public API.
import {
  channel,
  type Channel,
  subscribe,
  tracingChannel,
  type TracingChannel,
  unsubscribe,
} from 'node:diagnostics_channel'
import type {
  CompareEvent,
  Decision,
  NotJudged,
  Outcome,
  RequestEvent,
  RequestFields,
  Stage,
  Verdict,
  VerdictEvent,
} from '../types.js'

/** Names of the channels, for `diagnostics_channel.subscribe(CHANNELS.verdict, (message) => ...)`. */
export const CHANNELS = Object.freeze({
  /**
   * A tracing channel around every time the guards are asked: `tracingChannel(CHANNELS.check)`. Its messages are
   * {@link CheckMessage}s; `result` is there from `asyncStart` on.
   */
  check: 'express-llama-guard:check',
  /** A {@link VerdictMessage} for each stage that was judged, or that could not be. */
  verdict: 'express-llama-guard:verdict',
  /** A {@link NotJudgedMessage} for each stage, or part of one, that was not judged on purpose. */
  notJudged: 'express-llama-guard:not-judged',
  /** A {@link RequestMessage} for each request that reached the middleware, when its response has closed. */
  request: 'express-llama-guard:request',
  /** A {@link ShadowMessage} for each text that the guard on trial judged too. */
  shadow: 'express-llama-guard:shadow',
} as const)

/** What all messages say of their request. */
interface AboutRequest {
  /** The same object in every message of one request. Ids come from clients, and two requests may share one. */
  readonly request: object
  readonly requestId: string
  /** What the option `context` says of the request. */
  readonly context?: RequestFields
}

/** One time the guards are asked: all turns of a request at once, or a window of a reply. */
export interface CheckMessage extends AboutRequest {
  readonly stage: Stage
  readonly dialect: string
  /** The value of the option `guard`, or `custom` for a guard object. */
  readonly backend: string
  readonly model: string
  /** Conversations asked about, each judged on its last turn. */
  readonly conversations: number
  /** Characters of the judged turns. */
  readonly chars: number
  /** Set when the answer is there. A check never rejects: `verdict` is then `unjudged` and `code` says why. */
  result?: CheckResult
}

/** What a check came to. */
export interface CheckResult {
  readonly verdict: 'safe' | 'unsafe' | 'unjudged'
  readonly categories: readonly string[]
  readonly code?: string
  readonly score?: number
  readonly ms: number
  /** True when every verdict was remembered. */
  readonly cached: boolean
  readonly attempts: number
  readonly tokens: NonNullable<Verdict['tokens']>
  /** The guard that judged, when it was not the first choice. */
  readonly judgedBy?: string
  /** Verdicts of the small guard of a cascade, each of which spared the large one a call. Absent for none. */
  readonly bySmallGuard?: number
}

/** The word on a stage, with what metrics need to tell one from another. */
export interface VerdictMessage extends VerdictEvent, AboutRequest {
  readonly verdict: Exclude<Outcome['state'], 'skipped'>
  readonly backend: string
  readonly mode: 'enforce' | 'shadow'
  /** True when the client asked for a token stream. */
  readonly stream: boolean
  /** True when the handler ran beside the input check. */
  readonly parallel: boolean
}

/** What was not judged, and how often. */
export interface NotJudgedMessage extends AboutRequest, NotJudged {
  readonly stage: Stage
  readonly dialect: string
  readonly action: Decision['action']
}

/** The whole request, when it is over. */
export interface RequestMessage extends RequestEvent, AboutRequest {}

/** What two guards said of one text. It names no request: the guard on trial answers when it can. */
export type ShadowMessage = CompareEvent

export const checkChannel: TracingChannel<unknown, CheckMessage> = tracingChannel<unknown, CheckMessage>(CHANNELS.check)
export const verdictChannel: Channel = channel(CHANNELS.verdict)
export const notJudgedChannel: Channel = channel(CHANNELS.notJudged)
export const requestChannel: Channel = channel(CHANNELS.request)
export const shadowChannel: Channel = channel(CHANNELS.shadow)

export interface Listeners {
  readonly verdict?: (message: VerdictMessage) => void
  readonly notJudged?: (message: NotJudgedMessage) => void
  readonly request?: (message: RequestMessage) => void
  readonly shadow?: (message: ShadowMessage) => void
  readonly check?: { start?(message: CheckMessage): void; asyncEnd?(message: CheckMessage): void }
}

/** Tells the listeners from now on. Returns what stops it. */
export function listen({ check, ...others }: Listeners): () => void {
  const all = Object.entries(others) as [keyof typeof others, (message: unknown) => void][]
  for (const [name, listener] of all) subscribe(CHANNELS[name], listener)
  if (check !== undefined) checkChannel.subscribe(check as never)
  return () => {
    for (const [name, listener] of all) unsubscribe(CHANNELS[name], listener)
    if (check !== undefined) checkChannel.unsubscribe(check as never)
  }
}
