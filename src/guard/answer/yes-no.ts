// Reads the answers of Granite Guardian: `Yes` or `No` (3.0), and the same words in a tag behind an empty thought
// (4.1). Yes means that the message is harmful. Nothing else is accepted.
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

const TAGGED = /^(?:<think>\s{0,8}<\/think>\s{0,8})?<score>\s{0,8}(yes|no)\s{0,8}<\/score>$/
const BEGINS_TAGGED_YES = /^\s*(?:<think>\s{0,8}<\/think>\s{0,8})?<score>\s{0,8}yes(?![\p{L}\p{M}])/iu

/**
 * Reads `<score>yes</score>`, which gives the category `category`, or `<score>no</score>`. An answer that begins with
 * the score yes and then leaves the format blocks without a category.
 * @throws LlamaGuardError `unparseable_verdict` for anything else.
 */
export function parseScoreTag(completion: Completion, category: string): Verdict {
  const { answer, ending } = answerOf(completion)
  const usage = completion.usage && { tokens: completion.usage }
  const said = ending === 'whole' ? TAGGED.exec(answer)?.[1] : undefined
  if (said === undefined) {
    if (BEGINS_TAGGED_YES.test(completion.text)) return offFormatUnsafe(completion)
    throw unparseable(completion, 'wanted "<score>yes</score>" or "<score>no</score>"')
  }
  let written = ''
  const tokens = completion.tokens ?? []
  const from = tokens.findIndex(({ text }) => (written += text).trimEnd().endsWith('<score>')) + 1
  const score = from === 0 ? undefined : scoreOf(tokens.slice(from), said, WORDS)
  const safe = said === 'no'
  return { safe, categories: safe ? [] : [category], ...(score !== undefined && { score }), ...usage }
}
