// The lines that `serve` prints at its start: which guard judges, by which policy, and where a safe request goes. A
// person can then see a wrong setting before the first request.
import type { Config } from '../../options/config.js'

/** One line for the guard, one for the policy, one for the upstream. No line holds a key or a password. */
export function describeSettings(config: Config): readonly string[] {
  return [
    `Guard: ${guardOf(config)}`,
    `Policy: ${policyOf(config)}; mode ${config.mode}, on error ${config.onError}, checks ${config.check.join(' and ')}`,
    `Upstream: ${upstreamOf(config)}`,
  ]
}

function guardOf({ guard, model, endpoint, inferenceComponent, guardUrl, guardModel }: Config): string {
  switch (guard) {
    case 'sagemaker':
      return `${model} on the SageMaker endpoint ${endpoint}${inferenceComponent ? `, component ${inferenceComponent}` : ''}`
    case 'openai':
      return `${model} at ${withoutSecrets(guardUrl ?? '')}${guardModel ? `, served as ${guardModel}` : ''}`
    case 'llama-cpp':
      return `${model} in this process, from ${guardModel}`
    case 'bedrock':
      return `${model} on Bedrock, as ${guardModel}`
    case 'bedrock-guardrail':
      return `the Bedrock guardrail ${guardModel}`
    case 'openai-moderation':
      return `${guardModel ?? 'omni-moderation-latest'} at ${withoutSecrets(guardUrl ?? 'https://api.openai.com/v1')}`
    case 'local':
      return 'the built-in baseline screen, which is not Llama Guard'
    default:
      return guard.model ?? 'a guard of your own'
  }
}

function policyOf({ categories, task, instruction, threshold, actions }: Config): string {
  const own = [
    ...(categories === undefined ? [] : [`${categories.length} categories of your own`]),
    ...(task === undefined && instruction === undefined ? [] : ['words of your own']),
    ...(actions === undefined ? [] : [`actions for ${Object.keys(actions).join(', ')}`]),
    ...(threshold === undefined ? [] : [`unsafe from ${threshold}`]),
  ]
  return own.length === 0 ? "the model's own" : own.join(', ')
}

function upstreamOf({ upstream }: Config): string {
  if (typeof upstream === 'string') return withoutSecrets(upstream)
  if (upstream === undefined) return 'none'
  if ('url' in upstream) return withoutSecrets(upstream.url)
  if ('endpoint' in upstream) return `the SageMaker endpoint ${upstream.endpoint}`
  return 'an upstream of your own'
}

/** A URL may carry a password, or a key in its query. */
function withoutSecrets(text: string): string {
  if (!URL.canParse(text)) return 'a URL that cannot be read'
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname}`
}
