// The JSON reply of the two OpenAI APIs that answer with `choices`: Chat Completions and legacy Completions.
// Whatever a choice holds is its text; whatever stands outside is judged with the first choice.
import type { ReplyChoice } from '../types.js'
import { ChoiceTexts } from './kit/reply-texts.js'
import { OPAQUE, OPENAI_CONTAINERS, OPENAI_METADATA } from './kit/openai-vocabulary.js'
import { isObject, itemIndex } from '../utils/json.js'
import { TextWalker, type Vocabulary } from './kit/text-walker.js'

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
    const pieces = texts.open(itemIndex(choice, position))
    walker.walk(choice, (_path, text) => void pieces.push(text))
  }
  walker.walk(body, (_path, text) => texts.addOutside(text), '', 'choices')
  return texts.list()
}
