// The engine of whole replies of one choice.
import type { ReplyChoice } from '../dialect.js'
import type { ReplyFields } from './reply-fields.js'
import { ChoiceTexts } from './reply-texts.js'
import { TextWalker, type WalkerOptions } from './text-walker.js'

/** All text of the reply as one choice, by what the API says of its fields. `pathOf` names places as other APIs do. */
export function oneChoice(
  body: unknown,
  fields: ReplyFields,
  options?: WalkerOptions,
  pathOf: (path: string) => string = (path) => path,
): readonly ReplyChoice[] {
  const texts = new ChoiceTexts()
  texts.open(0)
  new TextWalker(fields, options).walk(body, (path, text) => texts.add(0, text, pathOf(path)))
  return texts.list()
}
