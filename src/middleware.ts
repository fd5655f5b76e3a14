// What llamaGuard() returns: a middleware, and its methods.
import type { Dashboard, DashboardOptions } from './dashboard/index.js'
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
  /** Fails the judgements in flight, and closes sockets, stores and dashboards. */
  close(): Promise<void>
  /** Counters of the judge: calls, cache hits, breaker state; and of the audit, where there is one. */
  stats(): GuardStats
}
