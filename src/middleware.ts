// What llamaGuard() returns: a middleware, and its methods.
import type { Dashboard, DashboardOptions } from './dashboard/index.js'
import type { Readiness } from './guard/ready.js'
import type { GuardStats } from './services.js'
import type { Conversation, Judgement, Middleware, Stage } from './types.js'

export interface LlamaGuard extends Middleware {
  /** Judges a text of your own with the same guard, cache and protection. Never rejects. Default stage: `input`. */
  judge(conversation: Conversation, options?: { stage?: Stage; signal?: AbortSignal }): Promise<Judgement>
  /**
   * Makes a handler for `POST /v1/moderations` in OpenAI's shape, on the same guard: `app.post('/v1/moderations',
   * guard.moderations())`.
   */
  moderations(): Middleware
  /**
   * Makes the handler of a live page about the guards of this process, for this machine alone unless a token is set.
   * Mount it before the guard: `app.use('/guard', guard.dashboard())`.
   * @throws LlamaGuardError for an option that is wrong.
   */
  dashboard(options?: DashboardOptions): Dashboard
  /**
   * Asks every guard once about an unsafe sentence: whether it can be reached, takes the credentials and answers as the
   * configured model does. What does not work is logged. Costs one call a guard, cached never. Never rejects.
   * @example if (!(await guard.ready()).ok) process.exitCode = 1
   */
  ready(): Promise<Readiness>
  /** Fails the judgements in flight, and closes sockets, stores and dashboards. */
  close(): Promise<void>
  /** Counters of the judge: calls, cache hits, breaker state; and of the audit, where there is one. */
  stats(): GuardStats
}
