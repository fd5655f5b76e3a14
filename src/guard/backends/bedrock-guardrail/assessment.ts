// Reads the answer of ApplyGuardrail. `NONE` is safe only when the guardrail has looked at all that was sent and none
// of its filters blocks. Anything that it would mask is unsafe, because it leaves as it came.
import type { ApplyGuardrailCommandOutput, GuardrailAssessment } from '@aws-sdk/client-bedrock-runtime'
import { LlamaGuardError } from '../../../errors.js'
import type { Category, Verdict } from '../../../types.js'

const FILTERS: Readonly<Record<string, string>> = {
  HATE: 'Hate',
  INSULTS: 'Insults',
  SEXUAL: 'Sexual',
  VIOLENCE: 'Violence',
  MISCONDUCT: 'Misconduct',
  PROMPT_ATTACK: 'Prompt Attack',
}
const POLICIES: Readonly<Record<string, string>> = {
  TOPIC: 'Denied Topic',
  WORD: 'Word Filter',
  SENSITIVE: 'Sensitive Information',
  MASKED: 'Sensitive Information to Mask',
  GROUNDING: 'Contextual Grounding',
}

/** The filters of a guardrail. Ids of content filters are Bedrock's own names. */
export const CATEGORIES: readonly Category[] = Object.entries({ ...FILTERS, ...POLICIES }).map(([id, name]) => ({
  id,
  name,
}))

/** @throws LlamaGuardError `unparseable_verdict`, `unsupported_content`, `guard_rejected`. */
export function readAssessment({ action, assessments, guardrailCoverage }: ApplyGuardrailCommandOutput): Verdict {
  if (action !== 'NONE' && action !== 'GUARDRAIL_INTERVENED')
    throw new LlamaGuardError(
      'unparseable_verdict',
      'ApplyGuardrail answered neither NONE nor GUARDRAIL_INTERVENED. Check AWS_ENDPOINT_URL_BEDROCK_RUNTIME.',
    )
  const categories = [...new Set((assessments ?? []).flatMap(blocked))]
  if (action === 'GUARDRAIL_INTERVENED' || categories.length > 0) return { safe: false, categories }
  const { images, textCharacters } = guardrailCoverage ?? {}
  if (images !== undefined && (images.guarded ?? 0) < (images.total ?? 0))
    throw new LlamaGuardError('unsupported_content', 'The guard looks at no images: its guardrail has no image filter.')
  if (textCharacters !== undefined && (textCharacters.guarded ?? 0) < (textCharacters.total ?? 0))
    throw new LlamaGuardError(
      'guard_rejected',
      'The guardrail did not look at the whole text. Check its policies in the Bedrock console.',
    )
  return { safe: true, categories: [] }
}

/** The filters that block or mask. One that only detects is the operator's wish to see and not to act. */
function blocked(assessment: GuardrailAssessment): readonly string[] {
  const {
    contentPolicy,
    topicPolicy,
    wordPolicy,
    sensitiveInformationPolicy: pii,
    contextualGroundingPolicy,
  } = assessment
  const acts = ({ action }: { readonly action?: string | undefined }): boolean => action === 'BLOCKED'
  const masks = ({ action }: { readonly action?: string | undefined }): boolean => action === 'ANONYMIZED'
  const sensitive = [...(pii?.piiEntities ?? []), ...(pii?.regexes ?? [])]
  const words = [...(wordPolicy?.customWords ?? []), ...(wordPolicy?.managedWordLists ?? [])]
  return [
    // A filter that is newer than this list still blocks, without a name.
    ...(contentPolicy?.filters ?? [])
      .filter(acts)
      .flatMap(({ type = '' }) => (Object.hasOwn(FILTERS, type) ? [type] : [])),
    ...((topicPolicy?.topics ?? []).some(acts) ? ['TOPIC'] : []),
    ...(words.some(acts) ? ['WORD'] : []),
    ...(sensitive.some(acts) ? ['SENSITIVE'] : []),
    ...(sensitive.some(masks) ? ['MASKED'] : []),
    ...((contextualGroundingPolicy?.filters ?? []).some(acts) ? ['GROUNDING'] : []),
  ]
}
