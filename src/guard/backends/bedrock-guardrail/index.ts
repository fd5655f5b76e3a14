// Amazon Bedrock's guardrails as a guard (ApplyGuardrail): no model and no endpoint of one's own. The operator's
// guardrail decides what is harmful; its filters are the categories. `NONE` is safe only when the guardrail has looked
// at all that was sent and none of its filters blocks. Anything that it would mask is unsafe, because it leaves as it
// came.
// Source: the types of @aws-sdk/client-bedrock-runtime.
import type {
  ApplyGuardrailCommandOutput,
  GuardrailAssessment,
  GuardrailContentBlock,
} from '@aws-sdk/client-bedrock-runtime'
import { guardRejected, unparseableVerdict, unsupportedContent } from '../../../types/errors.js'
import type { Category, Guard, Image, Turn, Verdict } from '../../../types.js'
import { besideStart, closeLoaded } from '../../../utils/beside-start.js'
import { requirePackage } from '../../../utils/installed.js'
import { inTime } from '../../../utils/deadline.js'
import { failureOf } from '../../answer/failure.js'
import { turnGuard } from '../turn-guard.js'
import type { BedrockClient } from './client.js'

export interface BedrockClientOptions {
  readonly concurrency: number
  /** Milliseconds one call may take. */
  readonly timeoutMs: number
}

export interface BedrockGuardrailOptions extends BedrockClientOptions {
  /** Id or ARN of the guardrail. */
  readonly guardrail: string
  /** Its version, for example `1` or `DRAFT`. */
  readonly version: string
}

const SERVER = {
  name: 'Bedrock',
  check:
    'Check that LLAMA_GUARD_MODEL_ID names a guardrail and its version, or a model, of this account in AWS_REGION.',
  denied: 'The credentials need the permission bedrock:ApplyGuardrail or bedrock:InvokeModel.',
}
/** A text unit of 1,000 characters is billed whole; ten of them stay below every quota of a request. */
const WINDOW_TOKENS = 2500
/** The service takes 20 images a request, and 4 MB each. */
const IMAGES = 20

/**
 * The client of Bedrock, loaded at once, and its errors as ours. `guard` names the guard that needs it.
 * @throws LlamaGuardError `dependency_missing` without the package @aws-sdk/client-bedrock-runtime.
 */
export function bedrockClient(guard: string, options: BedrockClientOptions) {
  requirePackage(guard, '@aws-sdk/client-bedrock-runtime')
  const loading = besideStart(import('./client.js').then(({ createClient }) => createClient(options)))
  const call = <T>(ask: (client: BedrockClient) => Promise<T>): Promise<T> =>
    loading.then(ask).catch((error: unknown) => {
      throw failureOf(SERVER, error)
    })
  return { call, check: () => call((client) => client.check()), close: () => void closeLoaded(loading) }
}

/**
 * A guard that asks a Bedrock guardrail about one turn at a time: a user's as INPUT, a model's as OUTPUT.
 * @throws LlamaGuardError `dependency_missing` without the package @aws-sdk/client-bedrock-runtime.
 */
export function bedrockGuardrail({ guardrail, version, ...options }: BedrockGuardrailOptions): Guard {
  const { call, check, close } = bedrockClient('bedrock-guardrail', options)
  return turnGuard({
    model: 'bedrock-guardrail',
    identity: JSON.stringify(['bedrock-guardrail', process.env['AWS_REGION'] ?? null, guardrail, version]),
    categories: CATEGORIES,
    windowTokens: WINDOW_TOKENS,
    images: IMAGES,
    ask: (turn, signal) =>
      inTime({ ms: options.timeoutMs, signal }, async (inner) => {
        const source = turn.role === 'User' ? 'INPUT' : 'OUTPUT'
        const input = {
          guardrailIdentifier: guardrail,
          guardrailVersion: version,
          source,
          content: contentOf(turn),
        } as const
        return readAssessment(await call((client) => client.apply(input, inner.signal)))
      }),
    check,
    close,
  })
}

function contentOf({ text, images = [] }: Turn): GuardrailContentBlock[] {
  const pictures = images.map((image): GuardrailContentBlock => ({ image: imageOf(image) }))
  // A text without a word is refused, and has nothing to judge.
  return text.trim() === '' && pictures.length > 0 ? pictures : [{ text: { text } }, ...pictures]
}

/** @throws LlamaGuardError `unsupported_content` for an image that the service cannot see. */
function imageOf({ url }: Image): NonNullable<GuardrailContentBlock['image']> {
  const [, type, base64 = ''] = /^data:image\/(png|jpe?g);base64,([A-Za-z0-9+/]+={0,2})$/i.exec(url) ?? []
  if (type === undefined)
    throw unsupportedContent(
      'An image is no PNG or JPEG in a base64 data URL such as "data:image/png;base64,...". The guard sees no other.',
    )
  return { format: type.toLowerCase() === 'png' ? 'png' : 'jpeg', source: { bytes: Buffer.from(base64, 'base64') } }
}

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
    throw unparseableVerdict(
      'ApplyGuardrail answered neither NONE nor GUARDRAIL_INTERVENED. Check AWS_ENDPOINT_URL_BEDROCK_RUNTIME.',
    )
  const categories = [...new Set((assessments ?? []).flatMap(blocked))]
  if (action === 'GUARDRAIL_INTERVENED' || categories.length > 0) return { safe: false, categories }
  const { images, textCharacters } = guardrailCoverage ?? {}
  if (images !== undefined && (images.guarded ?? 0) < (images.total ?? 0))
    throw unsupportedContent('The guard looks at no images: its guardrail has no image filter.')
  if (textCharacters !== undefined && (textCharacters.guarded ?? 0) < (textCharacters.total ?? 0))
    throw guardRejected('The guardrail did not look at the whole text. Check its policies in the Bedrock console.')
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
