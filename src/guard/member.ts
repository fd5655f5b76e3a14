// The guards of the judge: under which keys their verdicts are remembered, how many questions a request may ask, and in
// which order the guards are asked.
import { LlamaGuardError, toLlamaGuardError } from '../types/errors.js'
import type { Conversation, Guard, ResilienceStats, Stage, Verdict } from '../types.js'
import type { LazyAbortController } from '../utils/deadline.js'
import { cacheKey, identityOf, uniqueTo, type VerdictCache } from './cache/index.js'
import type { JudgeSettings, StageOptions } from './judge-settings.js'
import { anyUnsafeOf, checksOf, isPanel, piecesOf, tooMany } from './pieces.js'
import { otherModel } from './ready.js'
import { resilient, type Resilient } from './resilience/index.js'

/** A guard that cannot read this many characters is configured wrongly. */
const SHORT_CHARS = 256

/** One piece of a conversation, and its key in the verdict cache. */
export interface Question {
  readonly piece: Conversation
  readonly key: string
  /** False for a passing text. Its key is for counting alone. */
  readonly remembered: boolean
}

/** A conversation before it is judged: the first guard's remembered verdict, its questions, or why it has none. */
export type Plan = { readonly conversation: Conversation } & (
  { readonly verdict: Verdict } | { readonly questions: readonly Question[] } | { readonly error: unknown }
)

/** What one request asks. Each guard gets a question once, and no more questions than `most`. */
export class Checks {
  readonly #most: number
  readonly #cache: VerdictCache
  readonly #guards = new Map<Guard, { count: number; readonly answers: Map<string, Promise<Verdict> | undefined> }>()

  constructor(most: number, cache: VerdictCache) {
    this.#most = most
    this.#cache = cache
  }

  /**
   * Counts questions that are neither remembered nor counted before.
   * @throws LlamaGuardError `too_many_checks` when there are more than the limit.
   */
  count(guard: Guard, questions: readonly Question[], stage: Stage): void {
    const asked = this.#of(guard)
    for (const { piece, key, remembered } of questions) {
      if (asked.answers.has(key) || (remembered && this.#cache.has(key))) continue
      asked.answers.set(key, undefined)
      asked.count += checksOf(guard, piece, stage)
      if (asked.count > this.#most) throw tooMany(this.#most)
    }
  }

  /** The answer of this request to the question, or a new one. */
  once(guard: Guard, key: string, ask: () => Promise<Verdict>): Promise<Verdict> {
    const { answers } = this.#of(guard)
    const known = answers.get(key)
    if (known !== undefined) return known.then(({ attempts: _, tokens: __, ...verdict }) => verdict)
    const answer = ask()
    answers.set(key, answer)
    return answer
  }

  #of(guard: Guard) {
    let asked = this.#guards.get(guard)
    if (asked === undefined) this.#guards.set(guard, (asked = { count: 0, answers: new Map() }))
    return asked
  }
}

export class Member {
  readonly guard: Guard
  readonly model: string
  readonly #settings: JudgeSettings
  readonly #cache: VerdictCache
  readonly #resilient: Resilient
  readonly #left: number
  #noticed = false

  /** `left` counts the guards that the rest of the judgement's time is for: this one, and those asked after it. */
  constructor(guard: Guard, left: number, settings: JudgeSettings, cache: VerdictCache) {
    this.guard = guard
    this.model = guard.model ?? 'custom'
    this.#settings = settings
    this.#cache = cache
    this.#resilient = resilient(guard, settings)
    this.#left = left
  }

  /** `cut` makes the pieces of a conversation whose verdict is not remembered. */
  planOf(
    conversation: Conversation,
    options: StageOptions,
    cut: (whole: Conversation) => readonly Conversation[],
  ): Plan {
    try {
      if (options.passing === true) {
        const pieces = cut(conversation)
        const remembered = pieces.length > 1
        const key = (piece: Conversation): string => (remembered ? this.#keyOf(piece, options) : piece.at(-1)!.text)
        return { conversation, questions: pieces.map((piece) => ({ piece, key: key(piece), remembered })) }
      }
      const key = this.#keyOf(conversation, options)
      const verdict = this.#cache.known(key)
      if (verdict !== undefined) return { conversation, verdict }
      const questions = cut(conversation).map((piece) => ({
        piece,
        key: piece === conversation ? key : this.#keyOf(piece, options),
        remembered: true,
      }))
      return { conversation, questions }
    } catch (error) {
      return { conversation, error }
    }
  }

  /** One verdict for all questions. What is remembered, or asked at the same time, is not asked again. */
  ask(questions: readonly Question[], { options, checks, signal }: Asking): Promise<Verdict> {
    const { stage, blocks: blocksIn = this.#settings.blocks, request = {}, failFast } = options
    const blocks = (verdict: Verdict): boolean => blocksIn(verdict, stage)
    const asksPanel = isPanel(this.guard)
    checks.count(this.guard, questions, stage)
    const now = performance.now()
    const end = this.#left === 1 ? Infinity : now + (signal.deadline - now) / this.#left
    const askOne = (piece: Conversation) => async (shared: LazyAbortController) => {
      // The share is that of all pieces together: the next guard needs the rest.
      const timeoutMs = end === Infinity ? undefined : Math.max(1, Math.ceil(end - performance.now()))
      const verdict = await this.#resilient.judge(
        piece,
        asksPanel
          ? { stage, request, blocks, timeoutMs, signal: shared }
          : { stage, request, timeoutMs, signal: shared },
      )
      if (verdict.unknown !== undefined) this.#notice(verdict)
      return verdict
    }
    const once =
      ({ piece, key, remembered }: Question) =>
      (inner: LazyAbortController) =>
        remembered
          ? checks.once(this.guard, key, () => this.#cache.judge(key, inner, askOne(piece)))
          : this.#cache.judgeOnce(inner, askOne(piece))
    return anyUnsafeOf(questions.map(once), { signal, blocks, failFast })
  }

  stats(): ResilienceStats & { readonly model: string } {
    return { model: this.model, ...this.#resilient.stats() }
  }

  /** Logs, once, that another model answers than the configured one. */
  #notice(verdict: Verdict): void {
    const error = this.#noticed ? undefined : otherModel(this.guard, verdict)
    if (error === undefined) return
    this.#noticed = true
    this.#settings.logger?.error({ model: this.model, code: error.code }, error.message)
  }

  #keyOf(conversation: Conversation, options: StageOptions): string {
    const { policyHash, blocks: always } = this.#settings
    const { stage, tenant, blocks = always } = options
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
}

/** One judgement: for whom, within which bounds. */
export interface Asking {
  readonly options: StageOptions
  readonly checks: Checks
  readonly signal: LazyAbortController
}

/**
 * Asks the guards one after the other, until one of them has judged. `plan` is the first guard's.
 * @throws LlamaGuardError The first guard's error, when none could judge.
 */
export async function askInTurn(
  members: readonly Member[],
  plan: Plan,
  asking: Asking,
): Promise<{ readonly verdict: Verdict; readonly model: string }> {
  const { conversation } = plan
  const { stage } = asking.options
  let failure: LlamaGuardError | undefined
  for (const [index, member] of members.entries())
    try {
      const own =
        index === 0
          ? plan
          : member.planOf(conversation, asking.options, (whole) => piecesOf(member.guard, whole, stage))
      if ('error' in own) throw own.error
      const verdict = 'verdict' in own ? own.verdict : await member.ask(own.questions, asking)
      return { verdict: index === 0 ? verdict : { ...verdict, judgedBy: member.model }, model: member.model }
    } catch (error) {
      failure ??= blameText(toLlamaGuardError(error, 'guard_error'), conversation)
      // A client's fault does not depend on the guard, so the next guard is not asked. The exception is a text that is
      // too long: another guard may read longer texts.
      if (asking.signal.aborted || (failure.clientFault && failure.code !== 'guard_input_too_long')) break
    }
  throw failure ?? new LlamaGuardError('internal_error', 'There is no guard to ask.')
}

/**
 * A long text that does not fit is the client's fault, so `onError` must not let it pass. A short text that does not
 * fit is the guard's fault.
 */
function blameText(error: LlamaGuardError, conversation: Conversation): LlamaGuardError {
  if (error.code !== 'guard_input_too_long' || error.clientFault) return error
  const chars = conversation.reduce((sum, { text, images }) => sum + (images?.length ? Infinity : text.length), 0)
  return chars <= SHORT_CHARS
    ? error
    : new LlamaGuardError(error.code, error.message, { cause: error, clientFault: true })
}
