// Makes a prompter for a guard model that is not Llama Guard. The model's own file says how to write a conversation
// and read the answer. This file cuts conversations to what the model can read.
import { LlamaGuardError } from '../../errors.js'
import type { Category, Conversation, Verdict } from '../../types.js'
import type { Completion } from '../answer/completion.js'
import { breakLabels, escapeText, labelPattern } from './escape.js'
import { fitConversation } from './fit.js'
import type { ModelName } from './models.js'
import type { Prompter, PromptPolicy } from './prompter.js'
import { anyTokens, estimateTokens } from './tokens/index.js'

export interface OtherGuard {
  readonly model: ModelName
  readonly categories: readonly Category[]
  readonly contextTokens: number
  /** Most tokens of an answer. */
  readonly maxNewTokens: number
  /** The one part of a policy that the model follows. Default: none. */
  readonly takes?: keyof PromptPolicy
  /** The turns that the model's template shows. The judged turn is the last. */
  readonly shown: (conversation: Conversation) => Conversation
  /** The exact prompt for the turns of {@link shown}. */
  readonly render: (shown: Conversation) => string
  readonly parse: (completion: Completion) => Verdict
}

const LABELS = labelPattern(['assistant', 'user message', 'assistant message'])
/** Markers of these templates that Llama Guard's template lacks, and tokens that Qwen3 spells without bars. */
const MARKS =
  /[<\uFF1C](\s*(?:\/\s*)?(?:(?:BEGIN|END)[\s_-]+(?:SAFETY|REFUSAL)[\s_-]+POLICY|(?:start|end)_of_(?:turn|conversation|risk_definition)|(?:no-)?think|guardian|score|tool_call|tool_response)\s*)[>\uFF1E]/giu

/** The text as these models may read it: unable to end its turn, open another turn, or act as a part of the prompt. */
export function escapeForGuard(text: string): string {
  return breakLabels(escapeText(text).replace(MARKS, '($1)'), LABELS)
}

/** @throws LlamaGuardError `invalid_option` when a policy is given, because these models follow only their own. */
export function otherGuardPrompter(guard: OtherGuard, policy: PromptPolicy): Prompter {
  const { model, categories, contextTokens, maxNewTokens, shown, render, parse } = guard
  const given = Object.entries(policy).find(([name, value]) => value !== undefined && name !== guard.takes)?.[0]
  if (given !== undefined)
    throw new LlamaGuardError(
      'invalid_option',
      `The option ${given} is part of Llama Guard's prompt; ${model} ` +
        (guard.takes === undefined
          ? 'has a policy of its own. Leave it out.'
          : `takes its policy from ${guard.takes}.`),
    )
  const user = { role: 'User', text: '' } as const
  const shortest = [[user], [user, { role: 'Agent', text: '' } as const]]
  const policyTokens = Math.max(...shortest.map((conversation) => estimateTokens(render(conversation))))
  return {
    model,
    categories,
    vision: false,
    contextTokens,
    maxNewTokens,
    render(conversation) {
      if (conversation.length === 0)
        throw new LlamaGuardError(
          'internal_error',
          'An empty conversation came to the guard. It needs at least the turn to judge.',
        )
      return render(shown(conversation))
    },
    fit: (conversation, context = contextTokens) =>
      fitConversation(shown(conversation), context, { policyTokens, counter: anyTokens }),
    parse,
  }
}
