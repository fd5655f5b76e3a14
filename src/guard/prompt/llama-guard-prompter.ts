// Renders conversations into Llama Guard's prompt, by the template of each version. Everything that does not depend on
// the conversation is built once, so that equal prompts begin with equal bytes and prefix caches work.
import { LlamaGuardError } from '../../errors.js'
import type { Category, Conversation, Role, Turn } from '../../types.js'
import { parseVerdict } from '../answer/verdict.js'
import { parseCategories } from './categories.js'
import { escapedOf } from './escape.js'
import { fitConversation, LEAST_ROOM, roomFor } from './fit.js'
import { imageText, type ImageForm } from './image.js'
import type { ModelName } from './models.js'
import type { Prompter, PromptPolicy } from './prompter.js'
import { forRole, type Template } from './template.js'
import { anyTokens } from './tokens/index.js'

/**
 * @throws LlamaGuardError `invalid_option` for a policy text without categories, or a policy that leaves no room for a
 * conversation.
 */
export function llamaGuardPrompter(model: ModelName, template: Template, policy: PromptPolicy): Prompter {
  const { images: support } = template
  const vision = support !== undefined
  const categories =
    typeof policy.categories === 'string'
      ? parseCategories(policy.categories)
      : (policy.categories ?? template.categories)
  const envelopes = { User: envelopeFor(template, policy, 'User'), Agent: envelopeFor(template, policy, 'Agent') }
  const builtIn = policy.categories === undefined && policy.task === undefined && policy.instruction === undefined
  // The tables of a counter are read at the first long text. A built-in policy is short, so an estimate will do.
  const { count } = builtIn ? anyTokens : template.tokens
  const policyTokens =
    (builtIn ? template.promptTokens : undefined) ??
    1 + Math.max(...Object.values(envelopes).map(({ plain, tail }) => count(plain) + count(tail)))
  if (categories.length === 0)
    throw new LlamaGuardError(
      'invalid_option',
      "`categories` is an empty list. Name at least one category, or leave it out for the model's own.",
    )
  if (roomFor(template.contextTokens, policyTokens) < LEAST_ROOM) {
    throw new LlamaGuardError(
      'invalid_option',
      `The policy takes about ${policyTokens} of the ${template.contextTokens} tokens of ${model}, ` +
        'which leaves no room for a conversation. Shorten it.',
    )
  }

  const render: Prompter['render'] = (conversation, { images: form = 'token' } = {}) => {
    const judged = conversation.at(-1)
    if (judged === undefined)
      throw new LlamaGuardError(
        'internal_error',
        'An empty conversation came to the guard. It needs at least the turn to judge.',
      )
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

interface Envelope {
  /** The prompt from its first byte up to the first turn. */
  readonly plain: string
  /** The prompt from the task up to the first turn; an image may stand before it. */
  readonly withImage: string
  /** The prompt after the last turn. */
  readonly tail: string
}

function envelopeFor(template: Template, policy: PromptPolicy, role: Role): Envelope {
  const head = (categories: string): string =>
    `${forRole(policy.task ?? template.task, role)}\n\n<BEGIN UNSAFE CONTENT ` +
    `CATEGORIES>\n${categories}\n<END UNSAFE CONTENT CATEGORIES>\n\n<BEGIN ` +
    `CONVERSATION>${template.beforeTurns}`
  const print = (categories: readonly Category[]): string => categories.map(template.category).join('\n')
  const custom =
    typeof policy.categories === 'string' ? policy.categories : policy.categories && print(policy.categories)
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
