// The judge: turns in, judgement out. It is the only way to the guard models, so that cutting, caching, protection,
// fallback and comparison happen once, and in the same way for input and output.
import { LlamaGuardError, toLlamaGuardError } from '../errors.js'
import type { Conversation, Judgement, Stage } from '../types.js'
import { createCache } from './cache/index.js'
import { Checks, firstOrAll, type Plan } from './checks.js'
import { within } from './deadline.js'
import { askInTurn } from './fallback.js'
import type { Judge, JudgeSettings, StageOptions } from './judge-settings.js'
import { Member } from './member.js'
import { MOST_PIECES } from './pieces.js'
import { planOf, plansOf } from './plans.js'
import { createShadow } from './shadow.js'

export type { Judge, JudgeSettings, JudgeStats, StageOptions } from './judge-settings.js'

export function createJudge(o: JudgeSettings): Judge {
  const guards = [o.guard, ...(o.fallback ?? [])]
  const cache = createCache({
    max: o.cacheMax,
    ttlMs: o.cacheTtlMs,
    timeoutMs: o.timeoutMs,
    store: o.cacheStore,
    logger: o.logger,
  })
  const members = guards.map((guard, index) => new Member(guard, o.timeoutMs / (guards.length - index), o, cache))
  const first = members[0]!
  const shadow = o.shadow && createShadow(o.shadow, o.timeoutMs, o.logger)
  let closing: Promise<void> | undefined

  // The number of pieces of a reply depends on the model, so `maxChecks` does not apply to it. `maxReplyBytes` bounds
  // it.
  const mostChecks = (stage: Stage): number => (stage === 'output' ? MOST_PIECES : (o.maxChecks ?? 32))

  const failed = (error: unknown, started: number): Judgement => ({
    error: toLlamaGuardError(error, 'guard_error'),
    ms: performance.now() - started,
    model: first.model,
  })

  const judgeNow = async (plan: Plan, options: StageOptions, checks: Checks, started: number): Promise<Judgement> => {
    try {
      if (closing)
        throw new LlamaGuardError('guard_unavailable', 'The middleware has been closed and judges nothing any more.')
      if (plan.conversation.length === 0)
        throw new LlamaGuardError(
          'internal_error',
          'A conversation without turns came to the guard; at least one turn is needed.',
        )
      const answer = await within({ ms: o.timeoutMs, signal: options.signal }, (inner) =>
        askInTurn(members, plan, options, checks, inner),
      )
      return { verdict: answer.verdict, ms: performance.now() - started, model: answer.model }
    } catch (error) {
      return failed(error, started)
    }
  }

  const judgeOne = (conversation: Conversation, options: StageOptions): Promise<Judgement> => {
    const started = performance.now()
    const plan = closing ? { conversation } : planOf(conversation, options, first, cache)
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
    try {
      const plans = closing
        ? conversations.map((conversation): Plan => ({ conversation }))
        : plansOf(conversations, options, first, cache)
      // All pieces are counted before the first call, so a request with too many pieces costs no call.
      for (const { questions = [] } of plans) checks.count(first.guard, questions, options.stage)
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
      return [failed(error, started)]
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
