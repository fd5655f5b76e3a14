// Reads the answer of a text classifier: the shape of Hugging Face's pipeline `text-classification`, which
// djl-serving (LMI) and the SageMaker Hugging Face containers send. Any other shape is an error, because a guessed
// label would be a guessed verdict.
import { LlamaGuardError } from '../../errors.js'
import { isObject } from '../../utils/json.js'
import { containerError } from './container-error.js'

export interface LabelScore {
  readonly label: string
  /** Probability, 0 to 1. */
  readonly score: number
}

/** No classifier of prompt attacks has more labels. */
const MOST_LABELS = 16

/**
 * The labels of one text. The pipeline sends `[{label, score}]` with the likeliest label, or all labels with `top_k:
 * null`. A container that takes lists of texts puts that list into another list.
 * @throws LlamaGuardError `guard_error` for any other shape, and the container's own error.
 */
export function readClassification(body: unknown): readonly LabelScore[] {
  if (isObject(body) && body['error'] !== undefined && body['error'] !== null)
    throw containerError(Number(body['code'] ?? 500), JSON.stringify(body['error']))
  const labels: unknown = Array.isArray(body) && body.length === 1 && Array.isArray(body[0]) ? body[0] : body
  if (!Array.isArray(labels) || labels.length === 0 || labels.length > MOST_LABELS) throw unknownShape()
  const read = labels.map((entry: unknown): LabelScore => {
    const { label, score } = isObject(entry) ? entry : {}
    // Some servers round a probability to slightly more than one.
    if (typeof label !== 'string' || typeof score !== 'number' || !(score >= 0 && score <= 1.001)) throw unknownShape()
    return { label, score: Math.min(1, score) }
  })
  if (new Set(read.map(({ label }) => label)).size !== read.length) throw unknownShape()
  return read
}

function unknownShape(): LlamaGuardError {
  return new LlamaGuardError(
    'guard_error',
    'The guard endpoint answered no list of labels with scores. Check that Llama Prompt Guard runs behind it, in a ' +
      'container for text classification.',
  )
}
