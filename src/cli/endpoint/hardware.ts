// The GPUs of SageMaker's instances, what they cost, and the prefix by which requests are spread over copies.
import { createPrompter, type ModelName } from '../../guard/prompt/index.js'

/** By instance family. */
const GPUS: Readonly<Record<string, string>> = {
  g5: 'A10G',
  g6: 'L4',
  g6e: 'L40S',
  g7: 'RTX PRO 4500',
  g7e: 'RTX PRO 6000',
  p4d: 'A100',
  p4de: 'A100',
  p5: 'H100',
  p5e: 'H200',
  p5en: 'H200',
  'p6-b200': 'B200',
}

/** Instances with one GPU or more of a family that JumpStart's specifications are older than, by the SDK's types. */
export const NEWER: readonly string[] = [
  ...['xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge', '24xlarge', '48xlarge'].map(
    (size) => `ml.g6e.${size}`,
  ),
  ...['g7', 'g7e'].flatMap((family) =>
    ['2xlarge', '4xlarge', '8xlarge', '12xlarge', '24xlarge', '48xlarge'].map((size) => `ml.${family}.${size}`),
  ),
  'ml.p5.4xlarge',
  ...['p5', 'p5e', 'p5en', 'p6-b200'].map((family) => `ml.${family}.48xlarge`),
]

/** Sizes whose number of GPUs is not that of their size in the other families. */
const ODD_SIZES: Readonly<Record<string, number>> = {
  'ml.p5.4xlarge': 1,
  'ml.g7.8xlarge': 2,
  'ml.g7.12xlarge': 4,
  'ml.g7e.12xlarge': 2,
}

/**
 * US dollars an hour on demand in us-east-1, for a first idea. Several public tables of 2026 agree on them. Other
 * regions cost up to half as much again, and AWS's own page has the last word.
 */
export const DOLLARS: Readonly<Record<string, number>> = {
  'ml.g5.xlarge': 1.41,
  'ml.g5.2xlarge': 1.52,
  'ml.g5.4xlarge': 2.03,
  'ml.g5.8xlarge': 3.06,
  'ml.g5.12xlarge': 7.09,
  'ml.g5.24xlarge': 10.18,
  'ml.g5.48xlarge': 20.36,
  'ml.g6.xlarge': 1.13,
  'ml.g6.2xlarge': 1.22,
  'ml.g6.4xlarge': 1.65,
  'ml.g6.12xlarge': 5.75,
  'ml.g6.24xlarge': 8.34,
  'ml.g6.48xlarge': 16.69,
}

export function gpusOf(instance: string): number {
  const [, family = '', size = ''] = instance.split('.')
  const odd = ODD_SIZES[instance]
  if (odd !== undefined) return odd
  if (size === '48xlarge' || family.startsWith('p')) return 8
  return size === '12xlarge' || size === '24xlarge' ? 4 : 1
}

/** The families whose GPUs do not compute in FP8: compute capability below 8.9. */
const WITHOUT_FP8 = ['g5', 'p4d', 'p4de']
export const hasFp8 = (instance: string): boolean => !WITHOUT_FP8.includes(instance.split('.')[1] ?? '')

export const gpuName = (instance: string): string => GPUS[instance.split('.')[1] ?? ''] ?? 'GPU'

/** SageMaker takes no shorter prefix, and no longer one. */
const LEAST_PREFIX = 1024
const MOST_PREFIX = 65_536
/** What tells two conversations apart, mostly. */
const CONVERSATION_BYTES = 256
const BEGINNING = 'the-beginning-of-a-conversation'

/**
 * Bytes of a request by which SageMaker chooses the copy: the policy, which all share, and the beginning of the
 * conversation, so that the checks of one stream stay with the copy that has read its beginning.
 */
export function prefixBytes(model: ModelName): number {
  const body = JSON.stringify({ inputs: createPrompter(model).render([{ role: 'User', text: BEGINNING }]) })
  const wanted = Buffer.byteLength(body.slice(0, body.indexOf(BEGINNING))) + CONVERSATION_BYTES
  return Math.min(MOST_PREFIX, Math.max(LEAST_PREFIX, wanted))
}
