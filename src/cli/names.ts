// What a guard and an upstream are called, in words that hold no key and no password of a URL.
import type { Config } from '../options/config.js'

/** A guard: its model and its place. */
export function guardName({ guard, model, endpoint, guardUrl, guardModel }: Config): string {
  if (typeof guard !== 'string') return guard.model ?? 'a guard of your own'
  if (guard === 'local') return 'the local screen'
  const judge = guard === 'bedrock-guardrail' || guard === 'openai-moderation' ? guard : model
  const place = endpoint ?? (guardUrl === undefined ? guardModel : withoutSecrets(guardUrl))
  return place === undefined ? judge : `${judge} at ${place}`
}

export function upstreamName(upstream: Config['upstream']): string {
  if (typeof upstream === 'string') return withoutSecrets(upstream)
  if (upstream === undefined) return 'none'
  if ('url' in upstream) return withoutSecrets(upstream.url)
  return 'endpoint' in upstream ? `the SageMaker endpoint ${upstream.endpoint}` : 'an upstream of your own'
}

/** A URL may carry a password, or a key in its query. */
function withoutSecrets(text: string): string {
  if (!URL.canParse(text)) return 'a URL that cannot be read'
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname}`
}
