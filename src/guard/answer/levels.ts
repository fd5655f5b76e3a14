// Reads the answer of Qwen3Guard-Gen: one line for the level, one for the categories and, for replies, one that says
// whether the reply is a refusal. Like Llama Guard's reader it is strict: only the complete form of Safe is safe.
import type { Verdict } from '../../types.js'
import { answerOf, offFormatUnsafe, unparseable, withoutEnd } from './answer.js'
import type { Completion } from './completion.js'
import { type DecidingWords, scoreOf } from './score.js'

const FORM = /^Safety: (Safe|Controversial|Unsafe)\r?\nCategories: ([^\r\n]{1,500})(?:\r?\nRefusal: (?:Yes|No))?$/
/** The beginning of an answer whose level is Controversial or Unsafe, whatever follows it. */
const BEGINNING = /^\s*Safety: (?:Controversial|Unsafe)(?![\p{L}\p{M}])/u
/** Special tokens. A server that does not skip them leaves them at the end of the text. */
const TOKENS = ['<|im_end|>', '<|endoftext|>']
const WORDS: DecidingWords = { safe: ['safe'], unsafe: ['unsafe', 'controversial'] }
/** What the model writes before the level. */
const PREFIX = 'Safety:'

/** Category ids by the name the model writes, one table for Unsafe and one for Controversial. */
export interface LevelIds {
  readonly Unsafe: ReadonlyMap<string, string>
  readonly Controversial: ReadonlyMap<string, string>
}

/**
 * Reads the verdict in a completion. The score is the probability of Unsafe and Controversial together. An answer
 * that begins with one of these two levels and then leaves the format blocks without a category.
 * @throws LlamaGuardError `unparseable_verdict` for anything else.
 */
export function parseLevels(completion: Completion, ids: LevelIds): Verdict {
  const { answer: whole, ending } = answerOf(completion)
  const answer = withoutEnd(whole, TOKENS)
  const [, level, list = ''] = (ending === 'whole' && FORM.exec(answer)) || []
  const usage = completion.usage && { tokens: completion.usage }
  if (level === 'Safe' && list === 'None') return { safe: true, categories: [], ...scored(completion, level), ...usage }
  if (level === 'Unsafe' || level === 'Controversial') {
    const categories = list.split(',').map((name) => ids[level].get(name.trim()))
    // An unknown name may be words of the conversation, so the verdict does not carry it.
    if (categories.every((id) => id !== undefined))
      return { safe: false, categories: [...new Set(categories)], ...scored(completion, level), ...usage }
  }
  if (BEGINNING.test(completion.text)) return offFormatUnsafe(completion)
  throw unparseable(
    completion,
    'wanted "Safety: Safe", "Safety: Controversial" or "Safety: Unsafe", and its categories',
  )
}

/** The tokens before the level are skipped, because they do not depend on it. */
function scored({ tokens = [] }: Completion, level: string): Pick<Verdict, 'score'> {
  let written = ''
  const from = tokens.findIndex(({ text }) => (written += text).trim() === PREFIX) + 1
  const score = from === 0 ? undefined : scoreOf(tokens.slice(from), level.toLowerCase(), WORDS)
  return score === undefined ? {} : { score }
}
