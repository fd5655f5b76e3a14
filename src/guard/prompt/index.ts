// From the name of a guard model to its prompter: what goes into the model, and what its answer says.
import { invalidOption } from '../../types/errors.js'
import type { Category } from '../../types.js'
import { gptOssSafeguard } from './gpt-oss-safeguard.js'
import { graniteGuardian30, graniteGuardian41 } from './granite-guardian.js'
import { llamaGuard1 } from './llama-guard-1.js'
import { llamaGuard2 } from './llama-guard-2.js'
import { llamaGuard3Large, llamaGuard3Small, llamaGuard3Vision } from './llama-guard-3.js'
import { llamaGuard4 } from './llama-guard-4.js'
import {
  llamaGuardPrompter,
  type ModelOptions,
  otherGuardPrompter,
  type Prompter,
  type PromptPolicy,
} from './prompter.js'
import { isPromptGuard, type LlamaGuardName, type ModelName, MODELS, type Template } from './template.js'
import { nemotronSafetyGuard } from './nemotron-safety-guard.js'
import { qwen3GuardGen } from './qwen3guard-gen.js'

export { LLAMA_GUARDS, MODELS, PROMPT_GUARDS, isPromptGuard, type ModelName, type PromptGuardName } from './template.js'
export { textOnly } from './prompter.js'
export type { ModelOptions, Prompter, PromptPolicy, RenderOptions } from './prompter.js'

const TEMPLATES: Readonly<Record<LlamaGuardName, Template>> = {
  'llama-guard-1': llamaGuard1,
  'llama-guard-2': llamaGuard2,
  'llama-guard-3-8b': llamaGuard3Large,
  'llama-guard-3-1b': llamaGuard3Small,
  'llama-guard-3-11b-vision': llamaGuard3Vision,
  'llama-guard-4-12b': llamaGuard4,
}

/** The categories that a version has under its own policy. */
export const taxonomyOf = (model: LlamaGuardName): readonly Category[] => TEMPLATES[model].categories

/**
 * @throws LlamaGuardError `invalid_option` for an unknown model, a policy text without categories, or a policy that
 * leaves no room for a conversation.
 */
export function createPrompter(model: ModelName, policy: PromptPolicy = {}, options: ModelOptions = {}): Prompter {
  if (model === 'qwen3guard-gen') return otherGuardPrompter(qwen3GuardGen(options.controversial), policy)
  if (model === 'granite-guardian-3.0') return otherGuardPrompter(graniteGuardian30, policy)
  if (model === 'granite-guardian-4.1') return otherGuardPrompter(graniteGuardian41(policy.instruction), policy)
  if (model === 'gpt-oss-safeguard') return otherGuardPrompter(gptOssSafeguard(policy.categories), policy)
  if (model === 'nemotron-safety-guard') return otherGuardPrompter(nemotronSafetyGuard(policy.categories), policy)
  const template = Object.hasOwn(TEMPLATES, model) ? TEMPLATES[model as LlamaGuardName] : undefined
  if (isPromptGuard(model))
    throw invalidOption(`${model} is a classifier and reads no prompt. Use another guard model.`)
  if (template === undefined)
    throw invalidOption(`Unknown guard model ${JSON.stringify(model)}. Use one of ${MODELS.join(', ')}.`)
  return llamaGuardPrompter(model, template, policy)
}
