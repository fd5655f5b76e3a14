// Every name that OpenTelemetry sees. The conventions for guardrails are a draft that still changes its words
// (open-telemetry/semantic-conventions-genai, "guardrail"): when it is settled, this file changes and no other.
import type { Attributes } from '@opentelemetry/api'
import type { CheckMessage, CheckResult, ShadowMessage, VerdictMessage } from '../channels.js'
import type { NotJudged, Stage, VerdictEvent } from '../../types.js'

export const SCOPE = 'express-llama-guard'
export const CHECK_EVENT = 'llama_guard.check'
export const NOT_JUDGED_EVENT = 'llama_guard.not_judged'
export const METRICS = {
  duration: 'llama_guard.judgement.duration',
  judgements: 'llama_guard.judgements',
  notJudged: 'llama_guard.not_judged',
  comparisons: 'llama_guard.shadow.comparisons',
} as const

export const spanName = (model: string): string => `apply_guardrail ${model}`

type About = Pick<CheckMessage, 'stage' | 'dialect' | 'model' | 'requestId' | 'context'> & { readonly backend: string }

export function startAttributes({ stage, dialect, backend, model, requestId, context = {} }: About): Attributes {
  return {
    'gen_ai.operation.name': 'apply_guardrail',
    'gen_ai.provider.name': backend,
    'gen_ai.request.model': model,
    'gen_ai.guardrail.name': model,
    'gen_ai.guardrail.target': stage,
    'llama_guard.request_id': requestId,
    'llama_guard.dialect': dialect,
    ...Object.fromEntries(Object.entries(context).map(([name, value]) => [`llama_guard.context.${name}`, value])),
  }
}

/** Verdicts and category ids are the guard's own words. */
export function endAttributes(message: VerdictMessage): Attributes {
  const { verdict, action, categories, score, checks, cached, attempts, tokens, judgedBy, mode, stream, ms } = message
  return {
    'gen_ai.guardrail.decision': verdict,
    'gen_ai.guardrail.action': action,
    'gen_ai.guardrail.categories': [...categories],
    'gen_ai.guardrail.score': score,
    'gen_ai.usage.input_tokens': tokens?.input,
    'gen_ai.usage.output_tokens': tokens?.output,
    'error.type': message.code,
    'llama_guard.checks': checks,
    'llama_guard.cached': cached,
    'llama_guard.attempts': attempts,
    'llama_guard.judged_by': judgedBy,
    'llama_guard.mode': mode,
    'llama_guard.stream': stream,
    'llama_guard.ms': ms,
  }
}

export function checkAttributes({ verdict, code, ms, cached }: CheckResult): Attributes {
  return {
    'llama_guard.verdict': verdict,
    'llama_guard.ms': ms,
    'llama_guard.cached': cached,
    ...(code !== undefined && { 'error.type': code }),
  }
}

export function notJudgedAttributes({ what, count }: NotJudged, stage: Stage): Attributes {
  return { 'llama_guard.reason': what, 'llama_guard.count': count, 'gen_ai.guardrail.target': stage }
}

/** Closed sets alone. */
export function metricAttributes({
  stage,
  verdict,
  action,
}: Pick<VerdictEvent, 'stage' | 'verdict' | 'action'>): Attributes {
  return { 'gen_ai.guardrail.target': stage, 'gen_ai.guardrail.decision': verdict, 'gen_ai.guardrail.action': action }
}

/** What the guard and the one on trial said. */
export function comparedAttributes({ stage, primary, shadow }: ShadowMessage): Attributes {
  return {
    'gen_ai.guardrail.target': stage,
    'llama_guard.primary': primary.verdict,
    'llama_guard.shadow': shadow.verdict,
  }
}
