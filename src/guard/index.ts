// The judge: turns in, judgement out. It is the only way to the guard models, so that cutting, caching, protection,
// fallback and comparison happen once, and in the same way for input and output.
import { isLlamaGuardError, LlamaGuardError, toLlamaGuardError } from '../errors.js'
import type { Conversation, Guard, Judgement, Logger, Stage, Verdict } from '../types.js'
import type { LazyAbortController, AbortSignalLike } from '../utils/lazy-abort-controller.js'
import { type CacheStats, createCache } from './cache/index.js'
import { cacheKey, identityOf, uniqueTo } from './cache/key.js'
import type { CacheStore } from './cache/store.js'
import { Checks, firstOrAll, type Plan, type Question } from './checks.js'
import { within } from './deadline.js'
import { anyUnsafeOf } from './merge-verdicts.js'
import { isPanel } from './panel.js'
import { fit, MOST_PIECES, piecesOf, unseenTurns } from './pieces.js'
import { type ResilienceStats, resilient, type Resilient } from './resilience/index.js'
import { createShadow, type ShadowOptions } from './shadow.js'

export interface JudgeSettings {
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
  /** Separates the remembered verdicts of one tenant from those of others. */
  readonly tenant?: string
  /**
   * True when this verdict alone makes the policy block; the rest of the text is then not judged. It must be exact:
   * if a verdict that is only flagged counted as blocking, the judge would miss a blocked category in the rest of the
   * text.
   */
  readonly blocks: (verdict: Verdict, stage: Stage) => boolean
  readonly timeoutMs: number
  readonly maxAttempts: number
  readonly hedgeAfterMs?: number
  readonly concurrency: number
  readonly queue: number
  readonly breaker: boolean
  /**
   * The most pieces of one request's input that each guard is asked about. Remembered pieces do not count, so a chat
   * that grows costs only its new turns. Default: 32.
   */
  readonly maxChecks?: number
  readonly cacheMax: number
  readonly cacheTtlMs: number
  readonly cacheStore?: CacheStore
  readonly logger?: Logger
}

export interface JudgeStats {
  readonly cache: CacheStats
  /** The first guard, then the fallbacks. */
  readonly guards: readonly (ResilienceStats & { readonly model: string })[]
}

export interface StageOptions {
  readonly stage: Stage
  /** Aborted when the caller no longer wants the answer. A call that another caller waits for goes on. */
  readonly signal?: AbortSignalLike | undefined
  /** Overrides {@link JudgeSettings.tenant} for this request. */
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

interface Member {
  readonly guard: Guard
  readonly model: string
  readonly ask: Resilient
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

  /** `whole` is the key of the whole conversation, where it is known. */
  const questionsOf = (
    member: Member,
    pieces: readonly Conversation[],
    options: StageOptions,
    { conversation, whole }: Plan,
  ): readonly Question[] =>
    pieces.map((piece) => ({
      piece,
      key: piece === conversation && whole !== undefined ? whole : keyOf(member, piece, options),
    }))

  const askMember = (
    { guard, ask }: Member,
    questions: readonly Question[],
    { stage, blocks: blocksIn = o.blocks, request = {}, failFast }: StageOptions,
    signal: LazyAbortController,
  ): Promise<Verdict> => {
    const blocks = (verdict: Verdict): boolean => blocksIn(verdict, stage)
    const askOne = ({ piece, key }: Question, inner: LazyAbortController): Promise<Verdict> =>
      cache.judge(key, inner, (shared) =>
        ask.judge(piece, { signal: shared, stage, request, ...(isPanel(guard) && { blocks }) }),
      )
    const [only, ...others] = questions
    if (only !== undefined && others.length === 0) return askOne(only, signal)
    return anyUnsafeOf(
      questions.map((question) => (inner: LazyAbortController) => askOne(question, inner)),
      { signal, blocks, failFast },
    )
  }

  /** `plan` holds the questions of the first guard, where they are known. */
  const judgeNow = async (plan: Plan, options: StageOptions, checks: Checks, started: number): Promise<Judgement> => {
    const { conversation } = plan
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
            const questions =
              index === 0 && plan.questions !== undefined
                ? plan.questions
                : questionsOf(
                    member,
                    piecesOf(member.guard, conversation, options.stage),
                    options,
                    index === 0 ? plan : { conversation },
                  )
            checks.count(member.guard, questions, options.stage)
            const verdict = await askMember(member, questions, options, inner)
            model = member.model
            return { verdict: index === 0 ? verdict : { ...verdict, judgedBy: model }, ms: since(), model }
          } catch (error) {
            failure ??= blameText(toLlamaGuardError(error, 'guard_error'), conversation)
            // A client's fault does not depend on the guard, so the next guard is not asked. The exception is a text
            // that is too long: another guard may read longer texts.
            if (inner.aborted || (failure.clientFault && failure.code !== 'guard_input_too_long')) break
          }
        }
        throw failure ?? new LlamaGuardError('internal_error', 'There is no guard to ask.')
      })
    } catch (error) {
      return { error: toLlamaGuardError(error, 'guard_error'), ms: since(), model }
    }
  }

  // The number of pieces of a reply depends on the model, so `maxChecks` does not apply to it. `maxReplyBytes` bounds
  // it.
  const mostChecks = (stage: Stage): number => (stage === 'output' ? MOST_PIECES : (o.maxChecks ?? 32))

  /** The remembered judgement of a conversation, or the key under which it will be remembered. */
  const planOf = (conversation: Conversation, options: StageOptions): Plan => {
    const [member] = members
    if (member === undefined || closing || conversation.length === 0 || options.signal?.aborted) return { conversation }
    try {
      const whole = keyOf(member, conversation, options)
      const verdict = cache.known(whole)
      return verdict === undefined
        ? { conversation, whole }
        : { conversation, judgement: { verdict, ms: 0, model: member.model } }
    } catch {
      // judgeNow meets the same error again and reports it.
      return { conversation }
    }
  }

  /** The plans for all conversations of a request, and for every turn that is then part of no piece. */
  const plansOf = (conversations: readonly Conversation[], options: StageOptions): readonly Plan[] => {
    const member = members[0]!
    const seen: Conversation[] = []
    const cut = (conversation: Conversation): Plan => {
      const plan = planOf(conversation, options)
      try {
        const pieces = plan.whole === undefined ? [conversation] : fit(member.guard, conversation)
        seen.push(...pieces)
        return plan.whole === undefined ? plan : { ...plan, questions: questionsOf(member, pieces, options, plan) }
      } catch (error) {
        if (isLlamaGuardError(error) && error.code === 'too_many_checks') throw error
        // judgeNow meets the same error again and reports it.
        return plan
      }
    }
    const plans = conversations.map(cut)
    return options.stage === 'output'
      ? plans
      : [...plans, ...unseenTurns(conversations, seen).map((turn) => cut([turn]))]
  }

  const judgeOne = (conversation: Conversation, options: StageOptions): Promise<Judgement> => {
    const started = performance.now()
    const plan = planOf(conversation, options)
    return plan.judgement === undefined
      ? judgeNow(plan, options, new Checks(mostChecks(options.stage), cache), started)
      : Promise.resolve(plan.judgement)
  }

  const judgeMany = async (
    conversations: readonly Conversation[],
    options: StageOptions,
  ): Promise<readonly Judgement[]> => {
    const started = performance.now()
    const { request = {} } = options
    const checks = new Checks(mostChecks(options.stage), cache)
    const blocks = options.blocks ?? o.blocks
    const settles = (judgement: Judgement): boolean =>
      'verdict' in judgement ? blocks(judgement.verdict, options.stage) : options.failFast === true
    const failed = (error: unknown): readonly Judgement[] => [
      {
        error: toLlamaGuardError(error, 'guard_error'),
        ms: performance.now() - started,
        model: members[0]?.model ?? 'custom',
      },
    ]
    try {
      const plans = plansOf(conversations, options)
      // All pieces are counted before the first call, so a request with too many pieces costs no call.
      for (const { questions = [] } of plans) checks.count(members[0]!.guard, questions, options.stage)
      const known = plans.flatMap(({ judgement }) => (judgement === undefined ? [] : [judgement]))
      const enough = known.find(settles)
      if (enough !== undefined) return [enough]
      return await within({ signal: options.signal }, (inner) =>
        firstOrAll(
          plans.map((plan) => {
            const judgement = plan.judgement
              ? Promise.resolve(plan.judgement)
              : judgeNow(plan, { ...options, request, signal: inner }, checks, started)
            shadow?.watch(plan.conversation, options.stage, judgement)
            return judgement
          }),
          settles,
        ),
      )
    } catch (error) {
      return failed(error)
    }
  }

  return {
    judge(conversation, options) {
      const judgement = judgeOne(conversation, options)
      shadow?.watch(conversation, options.stage, judgement)
      return judgement
    },
    async judgeAll(conversations, options) {
      const [only] = conversations
      if (only !== undefined && conversations.length === 1) return [await this.judge(only, options)]
      return judgeMany(conversations, options)
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

/** A guard that cannot read this many characters is configured wrongly. */
const SHORT_CHARS = 256

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
