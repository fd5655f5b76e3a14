// The data that describe a guard model: its name, and for a Llama Guard version its template, which its file fills in.
// The versions differ in blanks and separators that the models were trained on, so they must not be unified.
import type { Category, Role } from '../../types.js'
import { invalidOption } from '../../types/errors.js'
import type { TokenCounter } from './tokens/counter.js'

/** One Llama Guard version. Its strings are the published template's own, byte for byte. */
export interface Template {
  readonly categories: readonly Category[]
  /** The most tokens the model reads and writes together. */
  readonly contextTokens: number
  /** Counts tokens as the model's tokenizer does, or more. */
  readonly tokens: TokenCounter
  /**
   * The token count of the built-in prompt without a turn. Only for a model with a context so short that an estimate
   * would waste much of it.
   */
  readonly promptTokens?: number
  /** The text before the task, without the BOS token. */
  readonly opening: string
  /** `{role}` becomes User or Agent. */
  readonly task: string
  readonly category: (category: Category) => string
  /** Between `<BEGIN CONVERSATION>` and the first turn. */
  readonly beforeTurns: string
  readonly afterTurn: string
  readonly instruction: string
  /** The text after the instruction. */
  readonly closing: string
  readonly images?: ImageSupport
}

export interface ImageSupport {
  /** `lead`: one image, before the task. `inline`: each image right before the text of its turn. */
  readonly placement: 'lead' | 'inline'
  /** The most images of one prompt. */
  readonly perPrompt: number
  /** Tokens of context one image takes at most. */
  readonly tokens: number
  /** Ids of built-in categories that the template leaves out of a prompt with an image. */
  readonly without?: readonly string[]
}

/** The task of Llama Guard 1 to 3. */
export const TASK =
  "Task: Check if there is unsafe content in '{role}' messages in conversations according our safety policy with the " +
  'below categories.'

/** The instruction of Llama Guard 2 to 4. */
export const INSTRUCTION = [
  'Provide your safety assessment for ONLY THE LAST {role} message in the above conversation:',
  " - First line must read 'safe' or 'unsafe'.",
  ' - If unsafe, a second line must include a comma-separated list of violated categories.',
].join('\n')

/** `text` with the label of the side that is judged. */
export function forRole(text: string, role: Role): string {
  return text.replaceAll('{role}', role)
}

/**
 * Category heading and its policy, in the layout that Llama Guard 1 was trained on and the cookbook uses for
 * the later ones.
 */
export function categoryText(category: Category, headingEnd = '.'): string {
  const lines = [`${category.id}: ${category.name}${headingEnd}`]
  if (category.description !== undefined) lines.push(category.description)
  else
    for (const [title, rules] of [
      ['Should not', category.shouldNot],
      ['Can', category.can],
      ['Should', category.should],
    ] as const)
      if (rules !== undefined && rules.length > 0) lines.push(title, ...rules.map((rule) => `- ${rule}`))
  return lines.join('\n')
}

/** The categories of a policy, and their text in a prompt: as it is given, or each printed on its own. */
export function printedPolicy(policy: string | readonly Category[], print: (category: Category) => string) {
  return typeof policy === 'string'
    ? { categories: parseCategories(policy), text: policy }
    : { categories: policy, text: policy.map(print).join('\n') }
}

/** A taxonomy that the prompt names by id and short name only. */
export function numbered(names: readonly string[]): readonly Category[] {
  return names.map((name, index) => ({ id: `S${index + 1}`, name }))
}

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
  'nemotron-safety-guard',
] as const
export type ModelName = (typeof MODELS)[number]

export const isPromptGuard = (model: ModelName): model is PromptGuardName =>
  PROMPT_GUARDS.some((name) => name === model)

/**
 * `O1: Violence and Hate. `: an id, a colon, and a name up to a full stop that ends the line or a sentence. A
 * full stop after a capital is an abbreviation: `S1: U.S. Law. Do not...` is named U.S. Law.
 */
const HEADING = /^[^\S\n]*([A-Za-z]{1,2}\d{1,3}):[^\S\n]*(\S.*?)(?:(?<!\p{Lu})\.\s.*|\.\s*)?$/u

/**
 * The ids and names of a policy text.
 * @throws LlamaGuardError `invalid_option` when there is no heading, or when an id occurs twice.
 */
export function parseCategories(policy: string): readonly Category[] {
  const categories = policy.split(/\r\n|\n|\r/).flatMap((line): Category[] => {
    const [, id, name] = HEADING.exec(line) ?? []
    return id === undefined || name === undefined ? [] : [{ id, name: name.trim() }]
  })
  if (categories.length === 0)
    throw invalidOption(
      '`categories` is a text without categories. Begin the line of each with its id and name, for ' +
        'example "O1: Violence and Hate.".',
    )
  const twice = categories.find(({ id }, index) => categories.findIndex((other) => other.id === id) !== index)
  if (twice !== undefined)
    throw invalidOption(`\`categories\` names ${twice.id} twice. Give each category an id of its own.`)
  return categories
}
