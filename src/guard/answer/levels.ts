// Reads the answer of Qwen3Guard-Gen: a line for the level, a line for the categories, and for replies one that says
// whether the reply is a refusal. As strict as Llama Guard's reader: only the whole form of Safe is safe.
import type { Verdict } from '../../types.js'
import { answerOf, offFormatUnsafe, unparseable, withoutEnd } from './answer.js'
import type { Completion } from './completion.js'
import { type DecidingWords, scoreOf } from './score.js'

const FORM = /^Safety: (Safe|Controversial|Unsafe)\r?\nCategories: ([^\r\n]{1,500})(?:\r?\nRefusal: (?:Yes|No))?$/
/** An answer whose level is known, whatever follows it and however long it is. */
const BEGINNING = /^\s*Safety: (?:Controversial|Unsafe)(?![\p{L}\p{M}])/u
/** Left over when a server does not skip special tokens. */
const TOKENS = ['<|im_end|>', '<|endoftext|>']
const WORDS: DecidingWords = { safe: ['safe'], unsafe: ['unsafe', 'controversial'] }
/** What the model writes before the level. */
const PREFIX = 'Safety:'

/** Category ids by the name the model writes, for each of its two levels beside Safe. */
export interface LevelIds {
  readonly Unsafe: ReadonlyMap<string, string>
  readonly Controversial: ReadonlyMap<string, string>
}

/**
 * The verdict in a completion. The score is the probability of Unsafe and Controversial together. An answer that begins
 * with one of these two levels and goes on off format blocks, without a category.
 *
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
    // A name that is none of the model's may be words of the conversation, so it goes no further.
    if (categories.every((id) => id !== undefined))
      return { safe: false, categories: [...new Set(categories)], ...scored(completion, level), ...usage }
  }
  if (BEGINNING.test(completion.text)) return offFormatUnsafe(completion)
  throw unparseable(
    completion,
    'wanted "Safety: Safe", "Safety: Controversial" or "Safety: Unsafe", and its categories',
  )
}

/** The tokens before the level say nothing about it. */
function scored({ tokens = [] }: Completion, level: string): Pick<Verdict, 'score'> {
  let written = ''
  const from = tokens.findIndex(({ text }) => (written += text).trim() === PREFIX) + 1
  const score = from === 0 ? undefined : scoreOf(tokens.slice(from), level.toLowerCase(), WORDS)
  return score === undefined ? {} : { score }
}
