// What the judge is made from, what is asked of it, and what it says of itself.
import type { Conversation, Guard, Judgement, JudgeStats, Stage, Verdict } from '../types.js'
import type { AbortSignalLike } from '../utils/deadline.js'
import type { CacheStore } from './cache/store.js'
import type { ResilienceOptions } from './resilience/index.js'
import type { ShadowOptions } from './shadow.js'

export interface JudgeSettings extends ResilienceOptions {
  /** The guard that is asked first. */
  readonly guard: Guard
  /**
   * The guards that are asked, in this order, when the guard before could not judge. They are not asked when it said
   * unsafe. Each guard gets an even share of the remaining `timeoutMs`, so that a hanging guard leaves time for the
   * others.
   */
  readonly fallback?: readonly Guard[]
  readonly shadow?: ShadowOptions
  /**
   * A hash of all settings that shape a verdict beside guard and text: categories, task, instruction, whether scores
   * are asked for.
   */
  readonly policyHash: string
  /**
   * True when this verdict alone makes the policy block; the rest of the text is then not judged. It must be exact:
   * if a verdict that is only flagged counted as blocking, the judge would miss a blocked category in the rest of the
   * text.
   */
  readonly blocks: (verdict: Verdict, stage: Stage) => boolean
  /**
   * The most pieces of one request's input that each guard is asked about. Remembered pieces do not count, so a chat
   * that grows costs only its new turns. Default: 32.
   */
  readonly maxChecks?: number
  /** Whether encoded text is judged decoded too. Default: true. */
  readonly reveal?: boolean
  readonly cacheMax: number
  readonly cacheTtlMs: number
  readonly cacheStore?: CacheStore
}

export interface StageOptions {
  readonly stage: Stage
  /** Aborted when the caller no longer wants the answer. A call that another caller waits for goes on. */
  readonly signal?: AbortSignalLike | undefined
  /** Separates the remembered verdicts of one tenant from those of others. */
  readonly tenant?: string | undefined
  /**
   * Overrides {@link JudgeSettings.blocks} for this request. Keep one function per policy: the verdicts of a panel
   * are remembered per function.
   */
  readonly blocks?: JudgeSettings['blocks'] | undefined
  /**
   * The identity of the request: calls of different requests take turns in the queue. Default: each call is a request
   * of its own.
   */
  readonly request?: object | undefined
  /**
   * True when one failure refuses the request whatever the other judgements are; the other calls are then aborted.
   * Never set it with `onError: 'open'`: a failure lets the request pass there, and another judgement may still block
   * it. Default: false.
   */
  readonly failFast?: boolean | undefined
  /**
   * True for a text that hardly comes again: its verdict is neither looked up nor remembered. The pieces of a text that
   * is too long for one check are, because most of them come again with the next check. Default: false.
   */
  readonly passing?: boolean | undefined
}

export interface Judge {
  /** Never rejects, and answers within `timeoutMs`. */
  judge(conversation: Conversation, options: StageOptions): Promise<Judgement>
  /**
   * Judges the conversations of one request at the same time. Never rejects. The first judgement that blocks answers
   * for all, and the other calls are aborted. More than `maxChecks` pieces give the error `too_many_checks` without a
   * call.
   */
  judgeAll(conversations: readonly Conversation[], options: StageOptions): Promise<readonly Judgement[]>
  stats(): JudgeStats
  /** Fails the calls in flight and closes guards and store. */
  close(): Promise<void>
}
