// The data that describe one Llama Guard version. Its file fills them in, and llama-guard-prompter.ts builds prompts
// from them. The versions differ in blanks and separators that the models were trained on, so they must not be unified.
import type { Category, Role } from '../../types.js'
import type { TokenCounter } from './tokens/index.js'

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
    ] as const) {
      if (rules !== undefined && rules.length > 0) lines.push(title, ...rules.map((rule) => `- ${rule}`))
    }
  return lines.join('\n')
}

/** A taxonomy that the prompt names by id and short name only. */
export function numbered(names: readonly string[]): readonly Category[] {
  return names.map((name, index) => ({ id: `S${index + 1}`, name }))
}
