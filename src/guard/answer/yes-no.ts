// Reads the answer of Granite Guardian. `Yes` means that the message is harmful, `No` that it is not. Nothing else is
// accepted.
import type { Verdict } from '../../types.js'
import { answerOf, offFormatUnsafe, unparseable } from './answer.js'
import type { Completion } from './completion.js'
import { type DecidingWords, scoreOf } from './score.js'

const BEGINS_YES = /^\s*yes(?![\p{L}\p{M}])/iu
const WORDS: DecidingWords = { safe: ['no'], unsafe: ['yes'] }

/**
 * Reads the verdict in a completion. `Yes` gives the category `category`. An answer that begins with the word Yes and
 * then leaves the format blocks without a category.
 * @throws LlamaGuardError `unparseable_verdict` for anything else.
 */
export function parseYesNo(completion: Completion, category: string): Verdict {
  const { answer, ending } = answerOf(completion)
  const usage = completion.usage && { tokens: completion.usage }
  if (ending === 'whole' && (answer === 'Yes' || answer === 'No')) {
    const score = scoreOf(completion.tokens ?? [], answer.toLowerCase(), WORDS)
    const safe = answer === 'No'
    return { safe, categories: safe ? [] : [category], ...(score !== undefined && { score }), ...usage }
  }
  if (BEGINS_YES.test(completion.text)) return offFormatUnsafe(completion)
  throw unparseable(completion, 'wanted "Yes" or "No"')
}
