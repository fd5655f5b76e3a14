// The data about a request that the holds need for its reply. Exchange implements this interface.
import type { ServerResponse } from 'node:http'
import type { Dialect } from '../dialects/dialect.js'
import type { LazyAbortController } from '../utils/deadline.js'
import type { Decision, Judgement, NotJudgedReason, Stage, ToolCall } from '../types.js'
import type { ReplyClock } from './hold.js'
import type { RefusalContext, RefusalSettings } from './refusal/context.js'

export type { ReplyClock } from './hold.js'

/** The options that shape what goes out. */
export interface ReplySettings extends RefusalSettings {
  readonly streaming: 'window' | 'fixed' | 'full' | 'async'
  readonly windowChars: number
  readonly windowMs: number
  /** Default: `guard`. */
}

/** Sets how often the streams of a guard are checked. */
export interface Pace {
  /** A stream begins. Returns what to call once it has ended. */
  join(): () => void
  /** Milliseconds that new text waits for company, at most the bound. */
  gapMs(windowMs: number): number
  /** A check has taken so long. Undefined when it failed. */
  took(ms: number | undefined): void
}

export interface ReplyContext extends RefusalContext {
  readonly res: ServerResponse
  readonly method: string
  readonly dialect: Dialect
  readonly settings: ReplySettings
  readonly maxReplyBytes: number
  /** The input decision, for the verdict headers. */
  readonly input: Decision | undefined
  /**
   * Set with `parallel`. Nothing may be released before it resolves. It resolves to false when the input is not
   * allowed.
   */
  readonly gate: Promise<boolean> | undefined
  /** Undefined when nobody asks how long the reply waited. */
  readonly clock?: ReplyClock | undefined
  /** Why nothing of this stage is judged; undefined when the stage is on. */
  skips(stage: Stage): NotJudgedReason | undefined
  /** One for all streams of a guard. */
  readonly pace: Pace
  /**
   * Judges this text of a choice as the Agent's turn after the request's. Never rejects. Default: the first choice.
   * `calledOff` ends the check, whose result then means nothing.
   */
  judgeReply(text: string, choice?: number, calledOff?: LazyAbortController): Promise<Judgement>
  /**
   * Asks the hook `onToolCall`; undefined without one. A judgement is a block or a failure. Never rejects. Default: a
   * call of the reply.
   */
  readonly askToolCall?: ((call: Omit<ToolCall, 'stage'>, stage?: Stage) => Promise<Judgement | undefined>) | undefined
  /** `why`: the reason when there is nothing to judge. Default: `empty`. */
  decide(stage: Stage, judgements: readonly Judgement[], why?: NotJudgedReason): Decision
  decideError(stage: Stage, error: unknown): Decision
  /** Called once, with the final decision on the reply, for log, metrics and `req.llamaGuard`. */
  record(decision: Decision, judgements: readonly Judgement[]): Decision
  /** Stops the handler's work and every check whose result is no longer needed. */
  abort(): void
}
