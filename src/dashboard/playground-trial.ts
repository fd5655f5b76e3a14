// How the playground asks one guard: through a judge, as every question is asked, with the timeout of the options, and
// without a cache, so that it is measured. The policy then decides as it would about a request.
import { LlamaGuardError } from '../errors.js'
import { promptedOf } from '../guard/backends/prompted.js'
import { createJudge } from '../guard/index.js'
import { judgesRole, partsOf } from '../guard/panel.js'
import type { Config } from '../options/config.js'
import { decide, type PolicySettings } from '../policy.js'
import type { Conversation, Decision, Guard, Judgement, NamedCategory, Stage, Verdict } from '../types.js'
import type { PlaygroundGuard } from './playground-guards.js'
import type { Side } from './playground-request.js'

/** What one guard said. */
export interface PlaygroundResult {
  readonly guard: string
  readonly verdict: 'safe' | 'unsafe' | 'unjudged'
  /** What the middleware would do in mode `enforce`. */
  readonly action: Decision['action']
  readonly categories: readonly NamedCategory[]
  readonly score?: number
  readonly judgedBy?: string
  readonly ms: number
  readonly tokens?: Verdict['tokens']
  readonly error?: { readonly code: string; readonly message: string }
  /** The exact prompts, with the model that reads each. Empty for guards that read none. */
  readonly prompts: readonly { readonly model: string; readonly text: string }[]
}

export type Trial = (conversation: Conversation, signal: AbortSignal) => Promise<PlaygroundResult>

type Rules = Pick<PolicySettings, 'threshold' | 'categoryThresholds' | 'actions'>

/** Calls at a time, for a text in several pieces. */
const CALLS = 8

/** @throws LlamaGuardError `invalid_option` when the guard's model cannot follow the policy. */
export function openTrial(
  config: Config,
  { name, guard: configured }: PlaygroundGuard,
  { policy, scores }: Pick<Side, 'policy' | 'scores'>,
): Trial {
  const guard = variantOf(configured, policy, scores)
  const settings: PolicySettings = { ...rulesOf(policy ?? config), mode: 'enforce', onError: 'closed' }
  return async (conversation, signal) => {
    const stage: Stage = conversation.at(-1)!.role === 'User' ? 'input' : 'output'
    const decided = (judgement: Judgement): Decision => decide(stage, [judgement], settings, guard.categories ?? [])
    const blocks = (verdict: Verdict): boolean => decided({ verdict, ms: 0, model: '' }).action === 'block'
    const judgement = await judged(guard, conversation, { stage, signal }, { ...config, blocks })
    const { action, outcome, categories, error } = decided(judgement)
    const { score, judgedBy, tokens } = 'verdict' in judgement ? judgement.verdict : {}
    return {
      guard: policy === undefined ? name : `${name}, by the policy given`,
      verdict: outcome.state === 'skipped' ? 'unjudged' : outcome.state,
      action,
      categories,
      ...(score !== undefined && { score }),
      ...(judgedBy !== undefined && { judgedBy }),
      ms: judgement.ms,
      ...(tokens !== undefined && { tokens }),
      ...(error !== undefined && { error: { code: error.code, message: error.message } }),
      prompts: promptsOf(guard, conversation, stage),
    }
  }
}

function rulesOf({ threshold, categoryThresholds, actions }: Rules): Rules {
  return {
    ...(threshold !== undefined && { threshold }),
    ...(categoryThresholds && { categoryThresholds }),
    ...(actions && { actions }),
  }
}

/** The guard itself, or one of the same model and server that is asked in another way. */
function variantOf(guard: Guard, policy: Side['policy'], scores: boolean): Guard {
  const needsScores = scores || policy?.threshold !== undefined || policy?.categoryThresholds !== undefined
  if (policy === undefined && !needsScores) return guard
  const { categories, task, instruction } = policy ?? {}
  const prompt = policy && {
    ...(categories !== undefined && { categories }),
    ...(task !== undefined && { task }),
    ...(instruction !== undefined && { instruction }),
  }
  return promptedOf(guard)?.variant({ policy: prompt, ...(needsScores && { logprobs: true }) }) ?? guard
}

async function judged(
  guard: Guard,
  conversation: Conversation,
  asked: { readonly stage: Stage; readonly signal: AbortSignal },
  { timeoutMs, maxChecks, blocks }: Pick<Config, 'timeoutMs' | 'maxChecks'> & { blocks: (verdict: Verdict) => boolean },
): Promise<Judgement> {
  const model = guard.model ?? 'custom'
  const { role } = conversation.at(-1)!
  if (!judgesRole(guard, role)) {
    const words = `${model} judges no turns of ${role}. In a panel another guard does.`
    return { error: new LlamaGuardError('guard_rejected', words), ms: 0, model }
  }
  const limits = { timeoutMs, maxChecks, maxAttempts: 1, concurrency: CALLS, queue: CALLS, breaker: false }
  return createJudge({ guard, policyHash: '', blocks, ...limits, cacheMax: 0, cacheTtlMs: 1 }).judge(
    conversation,
    asked,
  )
}

function promptsOf(guard: Guard, conversation: Conversation, stage: Stage): PlaygroundResult['prompts'] {
  const prompted = promptedOf(guard)
  if (prompted === undefined) return partsOf(guard).flatMap((part) => promptsOf(part, conversation, stage))
  try {
    return prompted.prompts(conversation, stage).map((text) => ({ model: guard.model ?? 'custom', text }))
  } catch {
    // The judgement says the same error.
    return []
  }
}
