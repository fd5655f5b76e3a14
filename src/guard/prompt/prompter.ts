// The interface of a prompter: conversations in, prompts out, and the verdict in a model's answer. Types only.
import type { Category, CategoryAction, Conversation, Verdict } from '../../types.js'
import type { Completion } from '../answer/completion.js'
import type { ImageForm } from './image.js'
import type { ModelName } from './models.js'

/** The parts of the policy that an operator may override. An absent part is the model's own. */
export interface PromptPolicy {
  /** A list, laid out as the model was trained to read it, or a text that is printed word for word. */
  categories?: string | readonly Category[]
  /** The first line, word for word; `{role}` becomes User or Agent. */
  task?: string
  /** The closing instruction, word for word; `{role}` becomes User or Agent. */
  instruction?: string
}

/** Options that concern a single model. */
export interface ModelOptions {
  /** The action for Qwen3Guard-Gen's level Controversial. Default: `block`. */
  readonly controversial?: CategoryAction
}

export interface RenderOptions {
  /** The form in which images are written. Default: `token`, as in the model's published template. */
  images?: ImageForm
}

export interface Prompter {
  readonly model: ModelName
  /** The ids and names of the policy in force, whether it came as a list or as text. */
  readonly categories: readonly Category[]
  /** True when the model reads images. Others ignore the images of a turn. */
  readonly vision: boolean
  /** The most tokens the model reads and writes together. */
  readonly contextTokens: number
  /** The most tokens of an answer. Default: 32. */
  readonly maxNewTokens?: number
  /**
   * The exact prompt. It lacks the BOS token, because containers put one before raw inputs. The role of the last turn
   * says which side is judged.
   */
  render(conversation: Conversation, options?: RenderOptions): string
  /**
   * Conversations that fit `contextTokens` (default: the model's own) and together cover the judged turn.
   * @throws LlamaGuardError `guard_input_too_long`.
   */
  fit(conversation: Conversation, contextTokens?: number): readonly Conversation[]
  /**
   * The verdict in the model's answer.
   * @throws LlamaGuardError `unparseable_verdict`.
   */
  parse(completion: Completion): Verdict
  /**
   * A prompter of the same model under another policy.
   * @throws LlamaGuardError `invalid_option` for a policy that the model cannot follow.
   */
  under?(policy: PromptPolicy): Prompter
}
