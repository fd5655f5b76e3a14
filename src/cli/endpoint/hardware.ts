// The GPUs of SageMaker's instances, what they cost, and the prefix by which requests are spread over copies.
import { createPrompter } from '../../guard/prompt/index.js'
import type { ModelName } from '../../guard/prompt/index.js'

interface Gpu {
  readonly name: string
  /** Computes in FP8: compute capability 8.9 or later. */
  readonly fp8: boolean
}

/** By instance family. */
const GPUS: Readonly<Record<string, Gpu>> = {
  g5: { name: 'A10G', fp8: false },
  g6: { name: 'L4', fp8: true },
  g6e: { name: 'L40S', fp8: true },
  g7: { name: 'RTX PRO 4500', fp8: true },
  g7e: { name: 'RTX PRO 6000', fp8: true },
  p4d: { name: 'A100', fp8: false },
  p4de: { name: 'A100', fp8: false },
  p5: { name: 'H100', fp8: true },
  p5e: { name: 'H200', fp8: true },
  p5en: { name: 'H200', fp8: true },
  'p6-b200': { name: 'B200', fp8: true },
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

const familyOf = (instance: string): string => instance.split('.')[1] ?? ''

export function gpusOf(instance: string): number {
  const [, family = '', size = ''] = instance.split('.')
  const odd = ODD_SIZES[instance]
  if (odd !== undefined) return odd
  if (size === '48xlarge' || family.startsWith('p')) return 8
  return size === '12xlarge' || size === '24xlarge' ? 4 : 1
}

export const gpuName = (instance: string): string => GPUS[familyOf(instance)]?.name ?? 'GPU'

export const hasFp8 = (instance: string): boolean => GPUS[familyOf(instance)]?.fp8 ?? false

function commonStart(first: string, second: string): string {
  let at = 0
  while (at < first.length && first.charCodeAt(at) === second.charCodeAt(at)) at++
  return first.slice(0, at)
}

/** SageMaker takes no shorter prefix, and no longer one. */
const LEAST_PREFIX = 1024
const MOST_PREFIX = 65_536
/** What tells two conversations apart, mostly. */
const CONVERSATION_BYTES = 256

/**
 * Bytes of a request by which SageMaker chooses the copy: the policy, which all share, and the beginning of the
 * conversation, so that the checks of one stream stay with the copy that has read its beginning.
 */
export function prefixBytes(model: ModelName): number {
  const prompter = createPrompter(model)
  const [first = '', second = ''] = ['a', 'b'].map((text) =>
    JSON.stringify({ inputs: prompter.render([{ role: 'User', text }]) }),
  )
  const wanted = Buffer.byteLength(commonStart(first, second)) + CONVERSATION_BYTES
  return Math.min(MOST_PREFIX, Math.max(LEAST_PREFIX, wanted))
}
