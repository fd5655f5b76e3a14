// The GPUs of SageMaker's instances, and an estimate of the checks a second on each.
import { estimateTokens } from '../../guard/prompt/tokens/index.js'
import { createPrompter } from '../../guard/prompt/index.js'
import type { ModelName } from '../../guard/prompt/index.js'
import { EXAMPLES } from './examples.js'

interface Gpu {
  readonly name: string
  /** Dense BF16 peak in TFLOPS, as NVIDIA publishes it. */
  readonly tflops: number
  /** Computes in FP8: compute capability 8.9 or later. */
  readonly fp8: boolean
}

/** By instance family. */
const GPUS: Readonly<Record<string, Gpu>> = {
  g5: { name: 'A10G', tflops: 70, fp8: false },
  g6: { name: 'L4', tflops: 121, fp8: true },
  p4d: { name: 'A100', tflops: 312, fp8: false },
  p4de: { name: 'A100', tflops: 312, fp8: false },
  p5: { name: 'H100', tflops: 989, fp8: true },
}

/**
 * The share of the peak that a batch of prompts reaches. It is an assumption; `doctor --latency` measures the real
 * rate.
 */
const USED_SHARE = 0.4
/** The cost of a cached token relative to a new one: the look-up, and attention over the token. */
const CACHED_COST = 0.05

const familyOf = (instance: string): string => instance.split('.')[1] ?? ''

export function gpusOf(instance: string): number {
  const [, family = '', size = ''] = instance.split('.')
  if (size === '48xlarge' || family.startsWith('p')) return 8
  return size === '12xlarge' || size === '24xlarge' ? 4 : 1
}

export const gpuName = (instance: string): string => GPUS[familyOf(instance)]?.name ?? 'GPU'

export const hasFp8 = (instance: string): boolean => GPUS[familyOf(instance)]?.fp8 ?? false

export interface Estimate {
  /** Tokens of a prompt with a short question, an estimate on the high side. */
  readonly promptTokens: number
  /** The tokens among them that are the same in every prompt. */
  readonly policyTokens: number
  readonly checksPerSecond: number
}

/**
 * The checks a second of one busy instance. Reading a token takes two operations a weight, and an answer of `safe` is
 * a few tokens beside hundreds. Undefined for an unknown GPU.
 */
export function estimateChecks(
  model: ModelName,
  billions: number,
  instance: string,
  { prefixCache, fp8 = false }: { readonly prefixCache: boolean; readonly fp8?: boolean },
): Estimate | undefined {
  const gpu = GPUS[familyOf(instance)]
  if (gpu === undefined) return undefined
  const prompter = createPrompter(model)
  const [first, second] = EXAMPLES.filter(({ conversation }) => conversation.length === 1).map(({ conversation }) =>
    prompter.render(conversation),
  )
  const promptTokens = estimateTokens(first ?? '')
  const policyTokens = estimateTokens(commonStart(first ?? '', second ?? ''))
  const read = prefixCache ? promptTokens - policyTokens * (1 - CACHED_COST) : promptTokens
  const perSecond = gpu.tflops * 1e12 * (fp8 ? 2 : 1) * USED_SHARE * gpusOf(instance)
  return { promptTokens, policyTokens, checksPerSecond: perSecond / (2 * billions * 1e9 * read) }
}

function commonStart(first: string, second: string): string {
  let at = 0
  while (at < first.length && first.charCodeAt(at) === second.charCodeAt(at)) at++
  return first.slice(0, at)
}
