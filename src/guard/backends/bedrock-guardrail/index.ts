// Amazon Bedrock's guardrails as a guard (ApplyGuardrail): no model and no endpoint of one's own. The operator's
// guardrail decides what is harmful; its filters are the categories.
// Source: the types of @aws-sdk/client-bedrock-runtime.
import type { GuardrailContentBlock } from '@aws-sdk/client-bedrock-runtime'
import { LlamaGuardError } from '../../../errors.js'
import type { Guard, Image, Turn } from '../../../types.js'
import { missingPackages } from '../../../utils/installed.js'
import { inTime } from '../../deadline.js'
import { turnGuard } from '../turn-guard.js'
import { toBedrockError } from './errors.js'
import { CATEGORIES, readAssessment } from './assessment.js'

export interface BedrockGuardrailOptions {
  /** Id or ARN of the guardrail. */
  readonly guardrail: string
  /** Its version, for example `1` or `DRAFT`. */
  readonly version: string
  readonly concurrency: number
  /** Milliseconds one call may take. */
  readonly timeoutMs: number
}

const PACKAGE = '@aws-sdk/client-bedrock-runtime'
/** A text unit of 1,000 characters is billed whole; ten of them stay below every quota of a request. */
const WINDOW_TOKENS = 2500
/** The service takes 20 images a request, and 4 MB each. */
const IMAGES = 20

/**
 * A guard that asks a Bedrock guardrail about one turn at a time: a user's as INPUT, a model's as OUTPUT.
 * @throws LlamaGuardError `dependency_missing` without the package @aws-sdk/client-bedrock-runtime.
 */
export function bedrockGuardrail({ guardrail, version, concurrency, timeoutMs }: BedrockGuardrailOptions): Guard {
  if (missingPackages([PACKAGE]).length > 0)
    throw new LlamaGuardError(
      'dependency_missing',
      `The guard bedrock-guardrail needs one more package. Run: npm install ${PACKAGE}`,
    )
  const loading = import('./client.js').then(({ createClient }) => createClient({ concurrency, timeoutMs }))
  // A failure to load is the failure of every call.
  loading.catch(() => undefined)
  return turnGuard({
    model: 'bedrock-guardrail',
    identity: JSON.stringify(['bedrock-guardrail', process.env['AWS_REGION'] ?? null, guardrail, version]),
    categories: CATEGORIES,
    windowTokens: WINDOW_TOKENS,
    images: IMAGES,
    ask: (turn, signal) =>
      inTime({ ms: timeoutMs, signal }, async (inner) => {
        const content = contentOf(turn)
        const client = await loading
        try {
          return readAssessment(
            await client.apply(
              {
                guardrailIdentifier: guardrail,
                guardrailVersion: version,
                source: turn.role === 'User' ? 'INPUT' : 'OUTPUT',
                content,
              },
              inner.signal,
            ),
          )
        } catch (error) {
          throw toBedrockError(error)
        }
      }),
    check: () =>
      loading
        .then((client) => client.check())
        .catch((error: unknown) => {
          throw toBedrockError(error)
        }),
    close: () =>
      void loading.then(
        (client) => client.close(),
        () => undefined,
      ),
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
    throw new LlamaGuardError(
      'unsupported_content',
      'An image is no PNG or JPEG in a base64 data URL such as "data:image/png;base64,...". The guard sees no other.',
    )
  return { format: type.toLowerCase() === 'png' ? 'png' : 'jpeg', source: { bytes: Buffer.from(base64, 'base64') } }
}
