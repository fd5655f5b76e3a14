// A guard under measurement. It judges as the middleware does, but it caches nothing and does not retry, so that
// every text is measured and the evaluation alone decides about retries.
import { hash } from 'node:crypto'
import { basename } from 'node:path'
import { guardsOf } from '../../services/create-guard.js'
import { invalidOption } from '../../types/errors.js'
import { identityOf } from '../../guard/cache/index.js'
import { type Config, parseOptions } from '../../options/config.js'
import { BACKENDS, type ModelName, MODELS, type LlamaGuardOptions } from '../../options/index.js'
import { decide } from '../../policy.js'
import { createServices } from '../../services/index.js'
import { guardNamed } from '../flags.js'
import type { Io } from '../io.js'
import type { Candidate } from './judge-all.js'

export interface OpenCandidate extends Candidate {
  close(): Promise<void>
}

/** What a guard is made from. Options win over variables. `scores` is true when the guard is asked for scores. */
export interface CandidateSettings {
  readonly options: LlamaGuardOptions
  readonly env: Io['env']
  readonly scores: boolean
}

/** Makes a guard whose `safe` is the decision of the middleware, after threshold and actions. */
export function openCandidate({ options, env, scores }: CandidateSettings): OpenCandidate {
  const config = parseOptions({ logger: false, ...options }, env)
  // A threshold makes a guard ask for log probabilities. The decision below still follows the configured threshold,
  // or the model's own word.
  const { guard } = guardsOf(scores ? { ...config, threshold: config.threshold ?? 0.5 } : config)
  const services = createServices({
    ...config,
    // `guard` is the whole panel. With `guards` beside it, each guard would be asked twice.
    guard,
    guards: undefined,
    cascade: undefined,
    fallback: undefined,
    shadowGuard: undefined,
    upstream: undefined,
    cacheMax: 0,
    cacheStore: undefined,
    maxAttempts: 1,
    hedgeAfterMs: undefined,
    breaker: false,
  })
  const settings = { ...config, mode: 'enforce', onError: 'closed' } as const
  return {
    name: nameOf(config, guard.model ?? 'custom', identityOf(guard), env['LLAMA_GUARD_POLICY']),
    ...(config.threshold !== undefined && { threshold: config.threshold }),
    async judge(conversation, { signal, stage = 'input' }) {
      const judgement = await services.judge.judge(conversation, { stage, signal })
      if ('error' in judgement) throw judgement.error
      const { outcome, categories, error } = decide(stage, [judgement], settings, services.categories)
      if (error !== undefined) throw error
      return { ...judgement.verdict, safe: outcome.state === 'safe', categories: categories.map(({ code }) => code) }
    },
    close: () => services.close(),
  }
}

/**
 * A name for people and for the resume file. It differs for another endpoint, prompt, policy or threshold, so that
 * their verdicts are not taken for this guard's.
 */
function nameOf(
  { guard, endpoint, guardUrl, threshold, categoryThresholds, actions }: Config,
  model: string,
  identity: string,
  policyFile: string | undefined,
): string {
  const where = guard === 'sagemaker' ? endpoint : guard === 'openai' ? new URL(guardUrl ?? '').host : undefined
  const policy = hash('sha256', JSON.stringify([identity, threshold, categoryThresholds, actions])).slice(0, 8)
  return (
    `${model}${where === undefined ? '' : ` at ${where}`}${threshold === undefined ? '' : ` from ${threshold}`} ` +
    `(${policyFile ? `${basename(policyFile)}, ` : ''}${policy})`
  )
}

/**
 * The settings of another guard, named as everywhere (`local`, `llama-guard-3-8b@my-endpoint`), by its model alone, or
 * by a policy file (`old.json`): the same guard with that policy.
 */
export function settingsNamed(text: string, { options, env, scores }: CandidateSettings): CandidateSettings {
  if (/\.json$/i.test(text)) return { options, env: { ...env, LLAMA_GUARD_POLICY: text }, scores }
  if (MODELS.some((model) => model === text)) return { options: { ...options, model: text as ModelName }, env, scores }
  try {
    const named = guardNamed(text)
    // The local screen uses no model or endpoint of the first guard.
    const first = named.guard === 'local' ? { ...options, model: undefined, endpoint: undefined } : options
    return { options: { ...first, ...named }, env, scores }
  } catch {
    throw invalidOption(
      `--against ${JSON.stringify(text)} names no guard. Give local, model@endpoint, a backend (${BACKENDS.join(', ')}), a ` +
        `model (${MODELS.join(', ')}), or a policy file (.json).`,
    )
  }
}
