// Reads the taxonomy from a policy that is given as prompt text, so that the ids of a verdict have names. Only the
// headings are read. The text itself goes into the prompt word for word.
import { LlamaGuardError } from '../../errors.js'
import type { Category } from '../../types.js'

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
  if (categories.length === 0) {
    throw new LlamaGuardError(
      'invalid_option',
      '`categories` is a text without categories. Begin the line of each with its id and name, for ' +
        'example "O1: Violence and Hate.".',
    )
  }
  const twice = categories.find(({ id }, index) => categories.findIndex((other) => other.id === id) !== index)
  if (twice !== undefined)
    throw new LlamaGuardError(
      'invalid_option',
      `\`categories\` names ${twice.id} twice. Give each category an id of its own.`,
    )
  return categories
}
