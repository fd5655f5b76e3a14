// One guard of the judge: how it is asked about pieces, and under which keys its verdicts are remembered.
import type { Conversation, Guard, Verdict } from '../types.js'
import type { LazyAbortController } from '../utils/lazy-abort-controller.js'
import type { VerdictCache } from './cache/index.js'
import { cacheKey, identityOf, uniqueTo } from './cache/key.js'
import type { Plan, Question } from './checks.js'
import type { JudgeSettings, StageOptions } from './judge-settings.js'
import { anyUnsafeOf } from './merge-verdicts.js'
import { isPanel } from './panel.js'
import { type ResilienceStats, resilient, type Resilient } from './resilience/index.js'

export class Member {
  readonly guard: Guard
  readonly model: string
  readonly #settings: JudgeSettings
  readonly #cache: VerdictCache
  readonly #resilient: Resilient

  /** `timeoutMs` is the share of the judgement's time that this guard gets. */
  constructor(guard: Guard, timeoutMs: number, settings: JudgeSettings, cache: VerdictCache) {
    this.guard = guard
    this.model = guard.model ?? 'custom'
    this.#settings = settings
    this.#cache = cache
    this.#resilient = resilient(guard, { ...settings, timeoutMs })
  }

  keyOf(conversation: Conversation, options: StageOptions): string {
    const { policyHash, tenant: everyone, blocks: always } = this.#settings
    const { stage, tenant = everyone, blocks = always } = options
    return cacheKey(
      {
        identity: identityOf(this.guard),
        model: this.model,
        policyHash,
        tenant,
        stage,
        blocks: isPanel(this.guard) ? uniqueTo(blocks) : undefined,
      },
      conversation,
    )
  }

  /** `whole` is the key of the whole conversation, where it is known. */
  questionsOf(
    pieces: readonly Conversation[],
    options: StageOptions,
    { conversation, whole }: Plan,
  ): readonly Question[] {
    return pieces.map((piece) => ({
      piece,
      key: piece === conversation && whole !== undefined ? whole : this.keyOf(piece, options),
    }))
  }

  /** One verdict for all questions. What is remembered, or asked at the same time, is not asked again. */
  ask(
    questions: readonly Question[],
    { stage, blocks: blocksIn = this.#settings.blocks, request = {}, failFast }: StageOptions,
    signal: LazyAbortController,
  ): Promise<Verdict> {
    const blocks = (verdict: Verdict): boolean => blocksIn(verdict, stage)
    const askOne = ({ piece, key }: Question, inner: LazyAbortController): Promise<Verdict> =>
      this.#cache.judge(key, inner, (shared) =>
        this.#resilient.judge(piece, { signal: shared, stage, request, ...(isPanel(this.guard) && { blocks }) }),
      )
    const [only, ...others] = questions
    if (only !== undefined && others.length === 0) return askOne(only, signal)
    return anyUnsafeOf(
      questions.map((question) => (inner: LazyAbortController) => askOne(question, inner)),
      { signal, blocks, failFast },
    )
  }

  stats(): ResilienceStats & { readonly model: string } {
    return { model: this.model, ...this.#resilient.stats() }
  }
}
