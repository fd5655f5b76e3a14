// Prompters: conversations in, prompts out, and the verdict in a model's answer. One renders by the template of a Llama
// Guard version; the other asks the file of another model how to write a conversation. What does not depend on the
// conversation is built once, so that equal prompts begin with equal bytes and prefix caches work.
import type { Category, CategoryAction, Conversation, Role, Turn, Verdict } from '../../types.js'
import { invalidOption, LlamaGuardError } from '../../types/errors.js'
import type { Completion } from '../answer/completion.js'
import { parseVerdict } from '../answer/verdict.js'
import { type ImageForm, imageText } from './image.js'
import { forRole, type ModelName, printedPolicy, type Template } from './template.js'
import { breakLabels, escapedOf, escapeText, labelPattern } from './escape.js'
import { fitConversation, judgedTurn, LEAST_ROOM, roomFor } from './fit.js'
import { anyTokens, estimateTokens } from './tokens/counter.js'

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
   * The verdict in the model's answer about a turn of `judged`.
   * @throws LlamaGuardError `unparseable_verdict`.
   */
  parse(completion: Completion, judged: Role): Verdict
}

/**
 * @throws LlamaGuardError `invalid_option` for a policy text without categories, or a policy that leaves no room for a
 * conversation.
 */
export function llamaGuardPrompter(model: ModelName, template: Template, policy: PromptPolicy): Prompter {
  const { images: support } = template
  const vision = support !== undefined
  const { categories, text: own } = printedPolicy(policy.categories ?? template.categories, template.category)
  const custom = policy.categories === undefined ? undefined : own
  const envelopeOf = (role: Role): Envelope => envelopeFor(template, policy, role, custom)
  const envelopes = { User: envelopeOf('User'), Agent: envelopeOf('Agent') }
  const builtIn = policy.categories === undefined && policy.task === undefined && policy.instruction === undefined
  // The tables of a counter are read at the first long text. A built-in policy is short, so an estimate will do.
  const { count } = builtIn ? anyTokens : template.tokens
  const policyTokens =
    (builtIn ? template.promptTokens : undefined) ??
    1 + Math.max(...Object.values(envelopes).map(({ plain, tail }) => count(plain) + count(tail)))
  if (categories.length === 0)
    throw invalidOption(
      "`categories` is an empty list. Name at least one category, or leave it out for the model's own.",
    )
  if (roomFor(template.contextTokens, policyTokens) < LEAST_ROOM)
    throw invalidOption(
      `The policy takes about ${policyTokens} of the ${template.contextTokens} tokens of ${model}, ` +
        'which leaves no room for a conversation. Shorten it.',
    )

  const render: Prompter['render'] = (conversation, { images: form = 'token' } = {}) => {
    const judged = judgedTurn(conversation)
    const envelope = envelopes[judged.role]
    let turns = ''
    for (const turn of conversation) {
      const inline =
        support?.placement === 'inline' ? (turn.images ?? []).map((image) => imageText(image, form)).join('') : ''
      turns += `${turn.role}: ${inline}${escapedOf(turn, vision).trim()}${template.afterTurn}`
    }
    if (!vision || !conversation.some((turn) => turn.images?.length)) return envelope.plain + turns + envelope.tail
    const lead = support.placement === 'lead' ? `${leadImage(conversation, judged, form)} ` : ''
    return template.opening + lead + envelope.withImage + turns + envelope.tail
  }

  return {
    model,
    categories,
    vision,
    contextTokens: template.contextTokens,
    render,
    fit: (conversation, contextTokens = template.contextTokens) =>
      fitConversation(conversation, contextTokens, { policyTokens, counter: template.tokens, images: support }),
    parse: (completion) => parseVerdict(completion, categories),
  }
}

/**
 * The prompter for a server that is sent text alone. Its prompts show no image, because the model would not get it.
 * `fit` leaves room for images all the same.
 */
export function textOnly(prompter: Prompter): Prompter {
  return {
    ...prompter,
    vision: false,
    render: (conversation) =>
      prompter.render(conversation.map((turn) => (turn.images ? { role: turn.role, text: turn.text } : turn))),
  }
}

interface Envelope {
  /** The prompt from its first byte up to the first turn. */
  readonly plain: string
  /** The prompt from the task up to the first turn; an image may stand before it. */
  readonly withImage: string
  /** The prompt after the last turn. */
  readonly tail: string
}

/** @param custom The text of the operator's categories. */
function envelopeFor(template: Template, policy: PromptPolicy, role: Role, custom: string | undefined): Envelope {
  const head = (categories: string): string =>
    `${forRole(policy.task ?? template.task, role)}\n\n<BEGIN UNSAFE CONTENT ` +
    `CATEGORIES>\n${categories}\n<END UNSAFE CONTENT CATEGORIES>\n\n<BEGIN ` +
    `CONVERSATION>${template.beforeTurns}`
  const print = (categories: readonly Category[]): string => categories.map(template.category).join('\n')
  return {
    plain: template.opening + head(custom ?? print(template.categories)),
    withImage: head(custom ?? print(template.categories.filter(({ id }) => !template.images?.without?.includes(id)))),
    tail: `<END CONVERSATION>\n\n${forRole(policy.instruction ?? template.instruction, role)}${template.closing}`,
  }
}

/**
 * The image of a prompt that takes one: the judged turn's image, else the newest one before it. A judged turn with
 * several images is refused, because the others would go unjudged.
 */
function leadImage(conversation: Conversation, judged: Turn, form: ImageForm): string {
  const owner = judged.images?.length ? judged : conversation.findLast((turn) => turn.images?.length)
  const [image, ...more] = owner?.images ?? []
  if (image === undefined || (owner === judged && more.length > 0))
    throw new LlamaGuardError(
      'internal_error',
      'A turn with several images came to a model that takes one. Split it with `fit` first.',
    )
  return imageText(image, form)
}

export interface OtherGuard {
  readonly model: ModelName
  readonly categories: readonly Category[]
  readonly contextTokens: number
  /** Most tokens of an answer. */
  readonly maxNewTokens: number
  /** The one part of a policy that the model follows. Default: none. */
  readonly takes?: keyof PromptPolicy
  /** The turns that the model's template shows. The judged turn is the last. Default: all. */
  readonly shown?: (conversation: Conversation) => Conversation
  /** The exact prompt for the turns of {@link shown}. */
  readonly render: (shown: Conversation) => string
  readonly parse: (completion: Completion, judged: Role) => Verdict
}

/** A user's message alone, or a reply with the message it answers, for templates that show no more. */
export function lastExchange(conversation: Conversation): Conversation {
  const judged = conversation.at(-1)
  const before = conversation.at(-2)
  return judged?.role === 'Agent' && before?.role === 'User' ? [before, judged] : conversation.slice(-1)
}

const whole = (conversation: Conversation): Conversation => conversation
const LABELS = labelPattern(['assistant', 'user message', 'assistant message'])
/** Markers of these templates that Llama Guard's lacks, and tokens that Qwen3 and Granite 3.0 spell without bars. */
const MARKS =
  /[<\uFF1C](\s*(?:\/\s*)?(?:(?:BEGIN|END)[\s_-]+(?:SAFETY|REFUSAL)[\s_-]+POLICY|(?:start|end)_of_(?:turn|conversation|risk_definition)|(?:no-)?think|guardian|score|tool_call|tool_response|fim_(?:prefix|middle|suffix|pad)|filename|reponame|gh_stars|issue_(?:start|comment|closed)|jupyter_(?:start|text|code|output)|empty_output|commit_(?:before|msg|after))\s*)[>\uFF1E]/giu

/** The text as these models may read it: unable to end its turn, open another turn, or act as a part of the prompt. */
export function escapeForGuard(text: string): string {
  return breakLabels(escapeText(text).replace(MARKS, '($1)'), LABELS)
}

/** @throws LlamaGuardError `invalid_option` when a policy is given, because these models follow only their own. */
export function otherGuardPrompter(guard: OtherGuard, policy: PromptPolicy): Prompter {
  const { model, categories, contextTokens, maxNewTokens, shown = whole, render, parse } = guard
  const given = Object.entries(policy).find(([name, value]) => value !== undefined && name !== guard.takes)?.[0]
  if (given !== undefined)
    throw invalidOption(
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
      judgedTurn(conversation)
      return render(shown(conversation))
    },
    fit: (conversation, context = contextTokens) =>
      fitConversation(shown(conversation), context, { policyTokens, counter: anyTokens }),
    parse,
  }
}
