// The one door to the guard models, the judge: turns in, judgement out. Everything that asks "is this safe?"
// asks here, so that cutting, remembering, protecting, falling back and comparing are done once and the same
// way for input and output.
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
   * be exact: were a merely flagged "unsafe" taken for one that blocks, a blocked category further on would not
   * be looked for.
   */
  readonly blocks: (verdict: Verdict, stage: Stage) => boolean
  readonly timeoutMs: number
  readonly maxAttempts: number
  readonly hedgeAfterMs?: number
  readonly concurrency: number
  readonly queue: number
  readonly breaker: boolean
  /**
   * The most pieces of one request's input that each guard is asked about. Remembered ones do not count: a long
   * chat that grows costs what is new. Default: 32.
   */
  readonly maxChecks?: number
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
  /** Stands for the request that asks: calls of different requests take turns. Default: each call is a request. */
  readonly request?: object | undefined
  /**
   * True where a failure refuses the request whatever the other judgements say: then they are called off. Never
   * with `onError: 'open'`, where what one failure lets pass another judgement may still block. Default: false.
   */
  readonly failFast?: boolean | undefined
}

export interface Judge {
  /** Never rejects, and answers within `timeoutMs`. */
  judge(conversation: Conversation, options: StageOptions): Promise<Judgement>
  /**
   * Judges the conversations of one request side by side. Never rejects. The first that blocks answers for all, and
   * the others are called off. `too_many_checks`, and no call, for more than `maxChecks` pieces.
   */
  judgeAll(conversations: readonly Conversation[], options: StageOptions): Promise<readonly Judgement[]>
  stats(): JudgeStats
  /** Fails what is in flight and closes guards and store. */
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

  /** `whole`: the key of the whole conversation, where it is known. */
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

  /** `plan`: what the first member is asked, where it is known. */
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
            // What the client sent stays the client's fault whoever is asked; another guard may read longer texts.
            if (inner.aborted || (failure.clientFault && failure.code !== 'guard_input_too_long')) break
          }
        }
        throw failure ?? new LlamaGuardError('internal_error', 'There is no guard to ask.')
      })
    } catch (error) {
      return { error: toLlamaGuardError(error, 'guard_error'), ms: since(), model }
    }
  }

  // How long a reply is depends on the model, and is bounded by maxReplyBytes.
  const mostChecks = (stage: Stage): number => (stage === 'output' ? MOST_PIECES : (o.maxChecks ?? 32))

  /** What is remembered of a conversation, or the name of what will be. */
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
      // Thrown again where it is dealt with.
      return { conversation }
    }
  }

  /** Plans for all of a request: what each conversation is cut into, and every turn that is then in no piece. */
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
        // Thrown again where it is dealt with.
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
      // All are counted before the first is asked: a request that is too large costs no call.
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

/** A guard that has no room for this many characters is set up wrongly. */
const SHORT_CHARS = 256

/** A text that is too long is the client's doing, and `onError` must not open it. A short one is the guard's fault. */
function blameText(error: LlamaGuardError, conversation: Conversation): LlamaGuardError {
  if (error.code !== 'guard_input_too_long' || error.clientFault) return error
  const chars = conversation.reduce((sum, { text, images }) => sum + (images?.length ? Infinity : text.length), 0)
  return chars <= SHORT_CHARS
    ? error
    : new LlamaGuardError(error.code, error.message, { cause: error, clientFault: true })
}
