// The judge: turns in, judgement out. It is the only way to the guard models, so that cutting, caching, protection,
// fallback and comparison happen once, and in the same way for input and output.
import { isLlamaGuardError, LlamaGuardError, toLlamaGuardError } from '../types/errors.js'
import type { Conversation, Judgement, Stage, Verdict } from '../types.js'
import { Deadline, reasonOf } from '../utils/deadline.js'
import { createCache } from './cache/index.js'
import type { Judge, JudgeSettings, StageOptions } from './judge-settings.js'
import { askInTurn, Checks, Member, type Plan } from './member.js'
import { fit, piecesOf, unseenTurns } from './pieces.js'
import { MOST_PIECES } from './prompt/fit.js'
import { withForms } from './reveal/index.js'
import { createShadow } from './shadow.js'

export type { Judge, JudgeSettings, StageOptions } from './judge-settings.js'

export function createJudge(o: JudgeSettings): Judge {
  const guards = [o.guard, ...(o.fallback ?? [])]
  const cache = createCache({
    max: o.cacheMax,
    ttlMs: o.cacheTtlMs,
    timeoutMs: o.timeoutMs,
    store: o.cacheStore,
    logger: o.logger,
  })
  const members = guards.map((guard, index) => new Member(guard, guards.length - index, o, cache))
  const first = members[0]!
  const shadow = o.shadow && createShadow(o.shadow, o.timeoutMs, o.logger)
  let closing: Promise<void> | undefined
  /** Remembered verdicts of texts that hide no other form. */
  const plain = new WeakSet<Verdict>()

  // The number of pieces of a reply depends on the model, so `maxChecks` does not apply to it. `maxReplyBytes` bounds
  // it.
  const checksAt = (stage: Stage): Checks => new Checks(stage === 'output' ? MOST_PIECES : (o.maxChecks ?? 32), cache)

  const failed = (error: unknown, started: number): Judgement => ({
    error: toLlamaGuardError(error, 'guard_error'),
    ms: performance.now() - started,
    model: first.model,
  })

  /** @throws LlamaGuardError for what no guard is asked about. */
  const admit = (conversations: readonly Conversation[], { signal }: StageOptions): void => {
    if (closing)
      throw new LlamaGuardError('guard_unavailable', 'The middleware has been closed and judges nothing any more.')
    if (signal?.aborted) throw reasonOf(signal)
    if (conversations.some(({ length }) => length === 0))
      throw new LlamaGuardError(
        'internal_error',
        'A conversation without turns came to the guard; at least one turn is needed.',
      )
  }

  const judgePlan = async (
    plan: Plan,
    options: StageOptions,
    checks: Checks,
    deadline: Deadline,
  ): Promise<Judgement> => {
    try {
      const answer = await askInTurn(members, plan, { options, checks, signal: deadline })
      return { verdict: answer.verdict, ms: performance.now() - deadline.started, model: answer.model }
    } catch (error) {
      return failed(error, deadline.started)
    }
  }

  /** The plans of all conversations, and at the input of every turn that is then part of no piece. */
  const plansOf = (conversations: readonly Conversation[], options: StageOptions): readonly Plan[] => {
    const [only, second] = conversations
    if (only !== undefined && second === undefined)
      return [first.planOf(only, options, (whole) => piecesOf(first.guard, whole, options.stage))]
    const seen: Conversation[] = []
    const plan = (conversation: Conversation): Plan => {
      const own = first.planOf(conversation, options, (whole) => {
        const pieces = fit(first.guard, whole)
        seen.push(...pieces)
        return pieces
      })
      if (!('questions' in own)) seen.push(conversation)
      if ('error' in own && isLlamaGuardError(own.error) && own.error.code === 'too_many_checks') throw own.error
      return own
    }
    const plans = conversations.map(plan)
    return options.stage === 'output'
      ? plans
      : [...plans, ...unseenTurns(conversations, seen).map((turn) => plan([turn]))]
  }

  const judgeAll = async (given: readonly Conversation[], asked: StageOptions): Promise<readonly Judgement[]> => {
    const options = asked.request === undefined ? { ...asked, request: {} } : asked
    const { stage, failFast, blocks = o.blocks, request } = options
    const settles = (judgement: Judgement): boolean =>
      'verdict' in judgement ? blocks(judgement.verdict, stage) : failFast === true
    const started = performance.now()
    let deadline: Deadline | undefined
    try {
      admit(given, options)
      const checks = checksAt(stage)
      // All pieces are counted before the first call, and before anything is decoded.
      const counted = (conversations: readonly Conversation[]): readonly Plan[] => {
        const all = plansOf(conversations, options)
        for (const plan of all) if ('questions' in plan) checks.count(first.guard, plan.questions, stage)
        return all
      }
      let plans = counted(given)
      // Of remembered texts most were looked at before: 20 to 80 us of a repeated request on Node.js 20 to 24.
      if (o.reveal !== false && !plans.every((plan) => 'verdict' in plan && plain.has(plan.verdict))) {
        const conversations = withForms(given, stage, request)
        if (conversations !== given) plans = counted(conversations)
        else for (const plan of plans) if ('verdict' in plan) plain.add(plan.verdict)
      }
      // A remembered verdict that settles the matter spares the calls.
      const settled = plans.find((plan) => 'verdict' in plan && blocks(plan.verdict, stage))
      const open = settled ? [settled] : plans
      // What is remembered needs no time.
      const judge = (plan: Plan): Judgement | Promise<Judgement> =>
        'verdict' in plan
          ? { verdict: plan.verdict, ms: 0, model: first.model }
          : judgePlan(plan, options, checks, (deadline ??= new Deadline({ ms: o.timeoutMs, signal: options.signal })))
      const judgements = open.map(judge)
      if (shadow)
        for (const [at, plan] of open.entries())
          shadow.watch(plan.conversation, stage, Promise.resolve(judgements[at]!))
      return await firstOrAll(judgements, settles)
    } catch (error) {
      return [failed(error, started)]
    } finally {
      deadline?.end()
    }
  }

  return {
    async judge(conversation, options) {
      const judgements = await judgeAll([conversation], options)
      return (
        judgements.find((judgement) => 'verdict' in judgement && !judgement.verdict.safe) ??
        judgements.find((judgement) => 'error' in judgement) ??
        judgements[0]!
      )
    },
    judgeAll,
    stats: () => ({ cache: cache.stats(), guards: members.map((member) => member.stats()) }),
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

/** Resolves with one judgement as soon as it settles the matter, or else with all of them. */
function firstOrAll(
  given: readonly (Judgement | Promise<Judgement>)[],
  settles: (judgement: Judgement) => boolean,
): Promise<readonly Judgement[]> {
  const judgements = given.map((each) => Promise.resolve(each))
  if (judgements.length === 1) return Promise.all(judgements)
  const first = new Promise<readonly Judgement[]>((resolve) => {
    for (const each of judgements) void each.then((judgement) => settles(judgement) && resolve([judgement]))
  })
  return Promise.race([first, Promise.all(judgements)])
}
