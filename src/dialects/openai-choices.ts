// What the two OpenAI APIs answer whose replies have `choices`: Chat Completions and Completions.
import { isObject } from '../utils/json.js'
import type { Declined, ReplyChoice } from './dialect.js'
import { blockNote } from './kit/refusals.js'
import { ChoiceTexts, itemIndex } from './kit/reply-texts.js'
import { TextWalker } from './kit/text-walker.js'
import { OPAQUE, OPENAI_CONTAINERS, OPENAI_METADATA, type Vocabulary } from './kit/vocabulary.js'

export const OPENAI_REPLY: Vocabulary = {
  metadata: OPENAI_METADATA,
  containers: OPENAI_CONTAINERS,
  opaque: OPAQUE,
  tokenLists: true,
  refuseMedia: true,
  code: 'unreadable_response',
}

/** Undefined when there is no `choices` array. */
export function readChoices(body: unknown): readonly ReplyChoice[] | undefined {
  if (!isObject(body) || !Array.isArray(body.choices)) return undefined
  const walker = new TextWalker(OPENAI_REPLY)
  const texts = new ChoiceTexts()
  const choices = body.choices as readonly unknown[]
  for (let position = 0; position < choices.length; position += 1) {
    const choice = choices[position]
    const index = itemIndex(choice, position)
    texts.open(index)
    walker.walk(choice, (path, text) => texts.add(index, text, path), { place: String(index) })
  }
  walker.walk(body, (_path, text) => texts.addOutside(text), { without: 'choices' })
  return texts.list()
}

/** A whole reply with one choice that declines. */
export function declinedChoice(
  { model, decision }: Declined,
  object: string,
  id: string,
  choice: object,
): Record<string, unknown> {
  return {
    id,
    object,
    created: Math.floor(Date.now() / 1000),
    model: model ?? 'unknown',
    choices: [{ index: 0, ...choice, logprobs: null }],
    usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    llama_guard: blockNote(decision),
  }
}
