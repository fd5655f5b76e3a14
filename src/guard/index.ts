// The one door to the guard models, the judge: turns in, judgement out. Everything that asks "is this safe?"
// asks here, so that cutting, remembering, protecting, falling back and comparing are done once and the same
// way for input and output.
import { LlamaGuardError, toLlamaGuardError } from '../errors.js'
import type { Conversation, Guard, Judgement, Logger, Stage, Verdict } from '../types.js'
import type { LazyAbortController, AbortSignalLike } from '../utils/lazy-abort-controller.js'
import { type CacheStats, createCache } from './cache/index.js'
import { cacheKey, identityOf, uniqueTo } from './cache/key.js'
import type { CacheStore } from './cache/store.js'
import { within } from './deadline.js'
import { anyUnsafeOf } from './merge-verdicts.js'
import { isPanel } from './panel.js'
import { type ResilienceStats, resilient, type Resilient } from './resilience/index.js'
import { createShadow, type ShadowOptions } from './shadow.js'
import { piecesOf } from './validate.js'

export interface JudgeSettings {
  /** The first choice. */
  readonly guard: Guard
  /**
   * Asked in this order when the guard before could not judge; never because it said unsafe. The budget
   * `timeoutMs` is shared evenly, and what one leaves over the next may use, so that a hanging guard leaves
   * time for the others.
   */
  readonly fallback?: readonly Guard[]
  readonly shadow?: ShadowOptions
  /**
   * Stands for all that shapes a verdict beside guard and text: categories, task, instruction, whether scores
   * are asked for.
   */
  readonly policyHash: string
  /** Keeps remembered verdicts of one tenant from another. */
  readonly tenant?: string
  /**
   * True when this verdict alone makes the policy block. Then the rest of a text need not be judged. It must
   * be exact: were a merely flagged "unsafe" taken for one that blocks, a blocked category further on would not be
   * looked for.
   */
  readonly blocks: (verdict: Verdict, stage: Stage) => boolean
  readonly timeoutMs: number
  readonly maxAttempts: number
  readonly hedgeAfterMs?: number
  readonly concurrency: number
  readonly queue: number
  readonly breaker: boolean
  readonly cacheMax: number
  readonly cacheTtlMs: number
  readonly cacheStore?: CacheStore
  readonly logger?: Logger
}

export interface JudgeStats {
  readonly cache: CacheStats
  /** First choice first, then the fallbacks. */
  readonly guards: readonly (ResilienceStats & { readonly model: string })[]
}

export interface StageOptions {
  readonly stage: Stage
  /** Aborted when the caller no longer wants the answer. Calls that others wait for too go on. */
  readonly signal?: AbortSignalLike | undefined
  /** Instead of the judge's own, for requests with a policy of their own. */
  readonly tenant?: string | undefined
  /** Instead of the judge's own. Keep one function per policy: a panel's verdicts are remembered per function. */
  readonly blocks?: JudgeSettings['blocks'] | undefined
}

export interface Judge {
  /** Never rejects, and answers within `timeoutMs`. */
  judge(conversation: Conversation, options: StageOptions): Promise<Judgement>
  stats(): JudgeStats
  /** Fails what is in flight and closes guards and store. */
  close(): Promise<void>
}

interface Member {
  readonly guard: Guard
  readonly model: string
  readonly ask: Resilient
}

/** One piece of a conversation, and the name of what is remembered about it. */
interface Question {
  readonly piece: Conversation
  readonly key: string
}

export function createJudge(o: JudgeSettings): Judge {
  const guards = [o.guard, ...(o.fallback ?? [])]
  const cache = createCache({
    max: o.cacheMax,
    ttlMs: o.cacheTtlMs,
    timeoutMs: o.timeoutMs,
    store: o.cacheStore,
    logger: o.logger,
  })
  const members = guards.map((guard, index): Member => {
    const timeoutMs = o.timeoutMs / (guards.length - index)
    return { guard, model: guard.model ?? 'custom', ask: resilient(guard, { ...o, timeoutMs }) }
  })
  const shadow = o.shadow && createShadow(o.shadow, o.timeoutMs, o.logger)
  let closing: Promise<void> | undefined

  const keyOf = (
    { guard, model }: Member,
    conversation: Conversation,
    { stage, tenant = o.tenant, blocks = o.blocks }: StageOptions,
  ): string =>
    cacheKey(
      {
        identity: identityOf(guard),
        model,
        policyHash: o.policyHash,
        tenant,
        stage,
        blocks: isPanel(guard) ? uniqueTo(blocks) : undefined,
      },
      conversation,
    )

  /** `whole`: the key of the whole conversation, where it is known. */
  const questionsOf = (
    member: Member,
    conversation: Conversation,
    options: StageOptions,
    whole: string | undefined,
  ): readonly Question[] =>
    piecesOf(member.guard, conversation).map((piece) => ({
      piece,
      key: piece === conversation && whole !== undefined ? whole : keyOf(member, piece, options),
    }))

  const askMember = (
    { guard, ask }: Member,
    questions: readonly Question[],
    { stage, blocks: blocksIn = o.blocks }: StageOptions,
    signal: LazyAbortController,
  ): Promise<Verdict> => {
    const blocks = (verdict: Verdict): boolean => blocksIn(verdict, stage)
    const askOne = ({ piece, key }: Question, inner: LazyAbortController): Promise<Verdict> =>
      cache.judge(key, inner, (shared) =>
        ask.judge(piece, { signal: shared, stage, ...(isPanel(guard) && { blocks }) }),
      )
    const [only, ...others] = questions
    if (only !== undefined && others.length === 0) return askOne(only, signal)
    return anyUnsafeOf(
      questions.map((question) => (inner: LazyAbortController) => askOne(question, inner)),
      { signal, blocks },
    )
  }

  /** `whole`: what the first member's verdict on the whole conversation would be remembered under. */
  const judgeNow = async (
    conversation: Conversation,
    options: StageOptions,
    started: number,
    whole: string | undefined,
  ): Promise<Judgement> => {
    const since = (): number => performance.now() - started
    let model = members[0]?.model ?? 'custom'
    try {
      if (closing)
        throw new LlamaGuardError('guard_unavailable', 'The middleware has been closed and judges nothing any more.')
      if (conversation.length === 0)
        throw new LlamaGuardError(
          'internal_error',
          'A conversation without turns came to the guard; at least one turn is needed.',
        )
      return await within({ ms: o.timeoutMs, signal: options.signal }, async (inner) => {
        let failure: LlamaGuardError | undefined
        for (const [index, member] of members.entries()) {
          try {
            const questions = questionsOf(member, conversation, options, index === 0 ? whole : undefined)
            const verdict = await askMember(member, questions, options, inner)
            model = member.model
            return { verdict: index === 0 ? verdict : { ...verdict, judgedBy: model }, ms: since(), model }
          } catch (error) {
            failure ??= toLlamaGuardError(error, 'guard_error')
            // What the client sent stays the client's fault whoever is asked.
            if (inner.aborted || failure.clientFault) break
          }
        }
        throw failure ?? new LlamaGuardError('internal_error', 'There is no guard to ask.')
      })
    } catch (error) {
      return { error: toLlamaGuardError(error, 'guard_error'), ms: since(), model }
    }
  }

  /** A known answer is given at once: nothing can be late about it, and nobody has to be able to call it off. */
  const judge = (conversation: Conversation, options: StageOptions): Promise<Judgement> => {
    const started = performance.now()
    const [member] = members
    if (member === undefined || closing || conversation.length === 0 || options.signal?.aborted)
      return judgeNow(conversation, options, started, undefined)
    let key: string | undefined
    try {
      key = keyOf(member, conversation, options)
    } catch {
      // Thrown again where it is dealt with.
    }
    const verdict = key === undefined ? undefined : cache.known(key)
    if (verdict === undefined) return judgeNow(conversation, options, started, key)
    return Promise.resolve({ verdict, ms: performance.now() - started, model: member.model })
  }

  return {
    judge(conversation, options) {
      const judgement = judge(conversation, options)
      shadow?.watch(conversation, options.stage, judgement)
      return judgement
    },
    stats: () => ({ cache: cache.stats(), guards: members.map(({ model, ask }) => ({ model, ...ask.stats() })) }),
    close() {
      closing ??= (async () => {
        await cache.close()
        const all = new Set([...guards, ...(o.shadow ? [o.shadow.guard] : [])])
        await Promise.all([...all].map(async (guard) => guard.close?.()))
      })()
      return closing
    },
  }
}
