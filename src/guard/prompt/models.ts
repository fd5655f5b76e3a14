// The names of the guard models, which the option `model` takes.

/** The versions of Llama Guard. */
export const LLAMA_GUARDS = [
  'llama-guard-1',
  'llama-guard-2',
  'llama-guard-3-8b',
  'llama-guard-3-1b',
  'llama-guard-3-11b-vision',
  'llama-guard-4-12b',
] as const
export type LlamaGuardName = (typeof LLAMA_GUARDS)[number]

/** Classifiers of prompt attacks. They have no prompt; see backends/prompt-guard. */
export const PROMPT_GUARDS = ['llama-prompt-guard-1', 'llama-prompt-guard-2'] as const
export type PromptGuardName = (typeof PROMPT_GUARDS)[number]

export const MODELS = [
  ...LLAMA_GUARDS,
  ...PROMPT_GUARDS,
  'qwen3guard-gen',
  'granite-guardian-3.0',
  'granite-guardian-4.1',
  'gpt-oss-safeguard',
] as const
export type ModelName = (typeof MODELS)[number]

export const isPromptGuard = (model: ModelName): model is PromptGuardName =>
  PROMPT_GUARDS.some((name) => name === model)
