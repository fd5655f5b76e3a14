// The JumpStart models that `deploy` knows: files, image, environment and instances, from AWS's own model
// specifications in the data of @cdklabs/generative-ai-cdk-constructs. A model without a specification there is left
// out.
import { invalidOption } from '../../types/errors.js'
import type { ModelName } from '../../guard/prompt/index.js'

export interface JumpStartModel {
  readonly id: string
  readonly version: string
  /** The name of `LLAMA_GUARD_MODEL`, which the endpoint gets too unless it is given another. */
  readonly name: string
  /** `LLAMA_GUARD_MODEL` for a guard; undefined for a chat model. */
  readonly guardModel?: ModelName
  /** Repository and tag that JumpStart pairs with the weights. */
  readonly image: string
  /** S3 prefix inside the region's private bucket. */
  readonly artifact: string
  readonly eula: string
  readonly defaultInstance: string
  readonly instances: readonly string[]
  /** What its container is told, for a model that runs in no other. */
  readonly environment?: Readonly<Record<string, string>>
}

const TGI_2 = 'huggingface-pytorch-tgi-inference:2.1.1-tgi2.0.0-gpu-py310-cu121-ubuntu22.04'
export const TGI_3 = 'huggingface-pytorch-tgi-inference:2.6.0-tgi3.2.3-gpu-py311-cu124-ubuntu22.04'
export const LMI_11 = 'djl-inference:0.29.0-lmi11.0.0-cu124'

const SERVER = {
  MODEL_CACHE_ROOT: '/opt/ml/model',
  SAGEMAKER_CONTAINER_LOG_LEVEL: '20',
  SAGEMAKER_ENV: '1',
  SAGEMAKER_MODEL_SERVER_TIMEOUT: '3600',
  SAGEMAKER_MODEL_SERVER_WORKERS: '1',
  SAGEMAKER_PROGRAM: 'inference.py',
  SAGEMAKER_SUBMIT_DIRECTORY: '/opt/ml/model/code',
}
export const COMMON = { ENDPOINT_SERVER_TIMEOUT: '3600', HF_MODEL_ID: '/opt/ml/model', ...SERVER }

/** The names in these lines. */
const list = (...names: readonly string[]): readonly string[] => names.join(' ').split(' ')

export const JUMPSTART_MODELS: readonly JumpStartModel[] = [
  {
    id: 'meta-textgeneration-llama-guard-7b',
    version: '1.2.23',
    name: 'llama-guard-1',
    guardModel: 'llama-guard-1',
    image: TGI_2,
    artifact: 'meta-textgeneration/meta-textgeneration-llama-guard-7b/artifacts/inference-prepack/v1.0.0/',
    eula: 'fmhMetadata/eula/llamaEula.txt',
    defaultInstance: 'ml.g5.2xlarge',
    instances: list(
      'ml.g5.2xlarge ml.g5.4xlarge ml.g5.8xlarge ml.g5.12xlarge ml.g5.24xlarge ml.g5.48xlarge',
      'ml.p4d.24xlarge',
    ),
  },
  {
    id: 'meta-textgeneration-llama-guard-3-1b',
    version: '1.0.4',
    name: 'llama-guard-3-1b',
    guardModel: 'llama-guard-3-1b',
    image: LMI_11,
    artifact: 'meta-textgeneration/meta-textgeneration-llama-guard-3-1b/artifacts/inference-prepack/v1.0.0/',
    eula: 'fmhMetadata/eula/llama3_2Eula.txt',
    defaultInstance: 'ml.g6.xlarge',
    instances: list(
      'ml.g5.xlarge ml.g5.2xlarge ml.g5.4xlarge ml.g5.8xlarge ml.g5.12xlarge ml.g5.16xlarge ml.g5.24xlarge',
      'ml.g5.48xlarge ml.g6.xlarge ml.g6.2xlarge ml.g6.4xlarge ml.g6.8xlarge ml.g6.12xlarge ml.g6.16xlarge',
      'ml.g6.24xlarge ml.g6.48xlarge ml.p4d.24xlarge ml.p5.48xlarge',
    ),
  },
  {
    id: 'meta-textgeneration-llama-guard-3-8b',
    version: '1.0.8',
    name: 'llama-guard-3-8b',
    guardModel: 'llama-guard-3-8b',
    image: LMI_11,
    artifact: 'meta-textgeneration/meta-textgeneration-llama-guard-3-8b/artifacts/inference-prepack/v1.0.0/',
    eula: 'fmhMetadata/eula/llama3_1Eula.txt',
    defaultInstance: 'ml.g5.4xlarge',
    instances: list(
      'ml.g5.4xlarge ml.g5.8xlarge ml.g5.12xlarge ml.g5.24xlarge ml.g5.48xlarge ml.g6.4xlarge ml.g6.8xlarge',
      'ml.g6.12xlarge ml.g6.24xlarge ml.g6.48xlarge ml.p4d.24xlarge ml.p5.48xlarge',
    ),
  },
  {
    id: 'meta-vlm-llama-guard-3-11b-vision',
    version: '2.2.2',
    name: 'llama-guard-3-11b-vision',
    guardModel: 'llama-guard-3-11b-vision',
    image: TGI_3,
    artifact: 'meta-vlm/meta-vlm-llama-guard-3-11b-vision/artifacts/inference-prepack/v2.0.0/',
    eula: 'fmhMetadata/eula/llama3_2Eula.txt',
    defaultInstance: 'ml.g6.12xlarge',
    instances: list('ml.g6.12xlarge ml.g6.24xlarge ml.g6.48xlarge ml.p4d.24xlarge ml.p4de.24xlarge ml.p5.48xlarge'),
    environment: {
      ...COMMON,
      MAX_CONCURRENT_REQUESTS: '128',
      MESSAGES_API_ENABLED: 'true',
      OPTION_ENTRYPOINT: 'inference.py',
    },
  },
  {
    // A classifier: the Hugging Face handler of djl-serving reads `inputs` and answers labels with scores.
    id: 'meta-tc-llama-prompt-guard-86m',
    version: '1.0.6',
    name: 'llama-prompt-guard-1',
    guardModel: 'llama-prompt-guard-1',
    image: LMI_11,
    artifact: 'meta-tc/meta-tc-llama-prompt-guard-86m/artifacts/inference-prepack/v1.0.0/',
    eula: 'fmhMetadata/eula/llama3_1Eula.txt',
    defaultInstance: 'ml.g5.xlarge',
    instances: list(
      'ml.g5.xlarge ml.g5.2xlarge ml.g5.4xlarge ml.g5.8xlarge ml.g5.12xlarge ml.g5.24xlarge ml.g5.48xlarge',
      'ml.g6.xlarge ml.g6.2xlarge ml.g6.4xlarge ml.g6.8xlarge ml.g6.12xlarge ml.g6.24xlarge ml.g6.48xlarge',
      'ml.p4d.24xlarge',
    ),
    environment: { ...SERVER, OPTION_DEVICE_MAP: 'cuda:0', OPTION_ROLLING_BATCH: 'disable' },
  },
  {
    id: 'meta-textgeneration-llama-2-7b-f',
    version: '4.3.0',
    name: 'llama-2-7b-chat',
    image: TGI_2,
    artifact: 'meta-textgeneration/meta-textgeneration-llama-2-7b-f/artifacts/inference-prepack/v1.1.0/',
    eula: 'fmhMetadata/eula/llamaEula.txt',
    // The article uses this instance. Version 4 of the specification proposes ml.g5.12xlarge, which has four GPUs for
    // one small model.
    defaultInstance: 'ml.g5.2xlarge',
    instances: list(
      'ml.g5.2xlarge ml.g5.4xlarge ml.g5.8xlarge ml.g5.12xlarge ml.g5.24xlarge ml.g5.48xlarge',
      'ml.g6.12xlarge ml.p4d.24xlarge',
    ),
    environment: {
      ...COMMON,
      MAX_BATCH_PREFILL_TOKENS: '8192',
      MAX_CONCURRENT_REQUESTS: '512',
      MAX_INPUT_LENGTH: '4095',
      MAX_TOTAL_TOKENS: '4096',
    },
  },
]

/** The model of a name or JumpStart id. Throws `invalid_option` with a list of the known models. */
export function findModel(name: string): JumpStartModel {
  const found = JUMPSTART_MODELS.find((model) => model.id === name || model.name === name)
  if (found) return found
  const known = JUMPSTART_MODELS.map((model) => model.name).join(', ')
  throw invalidOption(
    `The model ${JSON.stringify(name)} cannot be deployed; the ones that can are ${known}. Llama ` +
      'Guard 2 and 4 and Prompt Guard 2 have no known JumpStart files: deploy them from the SageMaker console and ' +
      "give the endpoint's name.",
  )
}
