// Chooses the serving container of a guard and its settings. The prefix cache is on, because most of a guard prompt is
// a constant policy. The context is no longer than a guard needs. AWS publishes the images and host images (JumpStart's
// specifications; github.com/aws/deep-learning-containers, docs/src/data, August 2026). All of them load the same
// weights.
import type { ProductionVariantInferenceAmiVersion } from '@aws-sdk/client-sagemaker'
import { invalidOption } from '../../types/errors.js'
import { isPromptGuard, type ModelName } from '../../guard/prompt/index.js'
import { gpusOf, hasFp8 } from './hardware.js'
import { COMMON, LMI_11, TGI_3, type JumpStartModel } from './jumpstart.js'

export const CONTAINERS = ['lmi', 'lmi-11', 'tgi', 'vllm'] as const
export type ContainerName = (typeof CONTAINERS)[number]
export type Quantization = 'fp8'

export interface Container {
  /** Repository and tag. */
  readonly image: string
  readonly environment: Record<string, string>
  /** The host image, where the driver of the default one is too old. */
  readonly ami?: ProductionVariantInferenceAmiVersion
  /** The reason for this container, for the plan. */
  readonly why: string
}

const VLLM = 'vllm:0.27.1-gpu-py312-cu130-ubuntu22.04-sagemaker'
/** vLLM 0.26, of August 2026. */
const LMI_28 = 'djl-inference:0.36.0-lmi28.0.0-cu130'
/** Has the driver of CUDA 13. The default host image has an older one. */
const CUDA_13_HOST = 'al2023-ami-sagemaker-inference-gpu-4-1'

/** Room for a conversation and the policy. More would take memory from the prefix cache. */
const CONTEXT_TOKENS = 8192
/** The context length of Llama Guard 1's training. A server that is given more refuses to start. */
const FIRST_CONTEXT_TOKENS = 4096

/**
 * The container of a guard on an instance. Throws `invalid_option` for one in which its weights cannot run.
 *
 * LMI is the default for the guards that read text: it has a prefix cache, and it takes the raw prompt that the
 * middleware sends. `lmi-11` is the one that JumpStart pairs with Llama Guard 3, with the vLLM of 2024. TGI is in
 * maintenance. The vLLM container takes OpenAI's requests alone.
 */
export function containerFor(
  model: JumpStartModel,
  instance: string,
  chosen?: ContainerName,
  quantize?: Quantization,
): Container {
  if (quantize !== undefined && !hasFp8(instance))
    throw invalidOption(
      `--quantize fp8 needs a GPU that computes in FP8 (L4, L40S, H100), and ${instance} has none. Take an ml.g6, ml.g6e or ` +
        'ml.p5 instance, or leave it out.',
    )
  if (!isTextGuard(model.guardModel)) return ownContainer(model, instance, chosen, quantize)
  const option = quantize && { OPTION_QUANTIZE: quantize }
  const tokens = model.guardModel === 'llama-guard-1' ? FIRST_CONTEXT_TOKENS : CONTEXT_TOKENS
  const gpus = String(gpusOf(instance))
  const containers: Record<ContainerName, Container> = {
    lmi: {
      image: LMI_28,
      environment: {
        HF_MODEL_ID: '/opt/ml/model',
        OPTION_ENABLE_PREFIX_CACHING: 'true',
        OPTION_MAX_MODEL_LEN: String(tokens),
        OPTION_TENSOR_PARALLEL_DEGREE: gpus,
        ...option,
      },
      ami: CUDA_13_HOST,
      why: "AWS's container for large models with vLLM 0.26; it has a prefix cache and takes raw prompts",
    },
    'lmi-11': {
      image: LMI_11,
      // JumpStart also sets OPTION_ENABLE_CHUNKED_PREFILL, which this vLLM refuses beside a prefix cache.
      environment: { ...COMMON, OPTION_ENABLE_PREFIX_CACHING: 'true', OPTION_MAX_MODEL_LEN: String(tokens), ...option },
      why: 'AWS pairs this image with Llama Guard 3; it has a prefix cache and takes raw prompts',
    },
    tgi: {
      image: TGI_3,
      environment: {
        ...COMMON,
        MAX_INPUT_LENGTH: String(tokens - 1),
        MAX_TOTAL_TOKENS: String(tokens),
        SM_NUM_GPUS: gpus,
        ...(quantize && { QUANTIZE: quantize }),
      },
      why: 'TGI 3 has a prefix cache of its own; TGI is in maintenance',
    },
    vllm: {
      image: VLLM,
      // The vLLM in this container has the prefix cache on by default.
      environment: {
        SM_VLLM_MODEL: '/opt/ml/model',
        SM_VLLM_MAX_MODEL_LEN: String(tokens),
        SM_VLLM_TENSOR_PARALLEL_SIZE: gpus,
        ...(quantize && { SM_VLLM_QUANTIZATION: quantize }),
      },
      ami: CUDA_13_HOST,
      why: 'the newest vLLM; it takes OpenAI requests (prompt, messages) and no raw `inputs`',
    },
  }
  return containers[chosen ?? 'lmi']
}

/** True for the guards that read a prompt of text. Several published containers serve their weights. */
export const isTextGuard = (model: ModelName | undefined): model is ModelName =>
  model !== undefined && model !== 'llama-guard-3-11b-vision' && !isPromptGuard(model)

/** Every other model runs as in JumpStart, because nothing else is published for its weights. */
function ownContainer(
  { id, image, environment }: JumpStartModel,
  instance: string,
  chosen: ContainerName | undefined,
  quantize: Quantization | undefined,
): Container {
  const own = image === LMI_11 ? 'lmi-11' : 'tgi'
  if ((chosen ?? own) !== own || quantize !== undefined)
    throw invalidOption(
      `${id} runs in the ${own.toUpperCase()} container that JumpStart pairs with it, as it is. Leave out ` +
        `${quantize === undefined ? '--container' : '--quantize'}.`,
    )
  return {
    image,
    // Without it, TGI uses one GPU of a large instance.
    environment: { ...environment, ...(own === 'tgi' && { SM_NUM_GPUS: String(gpusOf(instance)) }) },
    why: 'JumpStart pairs this image with the weights',
  }
}
