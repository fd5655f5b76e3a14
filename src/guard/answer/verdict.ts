// Reads the model's answer: `safe`, or `unsafe` and the violated categories on the next line.
// Only the exact word is safe: a lenient reader ("starts with safe") turns an echo, a cut or an off-format answer into
// a pass. An answer that begins with the word `unsafe` blocks whatever follows it.
import { LlamaGuardError } from '../../errors.js'
import type { Category, Verdict } from '../../types.js'
import type { Completion } from './completion.js'
import { scoreOf } from './score.js'

/** Far beyond any verdict; keeps the patterns below linear on an answer of megabytes. */
const LONGEST = 1000
/* eslint-disable regexp/no-super-linear-backtracking, regexp/no-super-linear-move -- matched against LONGEST at most */
/** ASCII only: an answer in other white space is off format. */
const LEADING = /^[ \t\r\n]+/
/** Left over when a server does not skip special tokens. */
const TRAILING = /(?:<\|(?:eot_id|eot|eom_id|eom|end_of_text)\|>|<\/s>|[ \t\r\n])+$/
const UNSAFE = /^unsafe(?:[ \t]*\r?\n[ \t\r\n]*([^]+))?$/i
const CODES = /^[a-z]\d{1,3}(?:[ \t\r\n]*,[ \t\r\n]*[a-z]\d{1,3})*[ \t\r\n]*,?$/i
/**
 * The word `unsafe` at the beginning of any other answer. A code may stand directly behind it; another letter makes
 * another word of it, such as "unsafely".
 */
const BEGINS_UNSAFE = /^\s*unsafe(?:[a-z]\d|[^\p{L}\p{M}]|$)/iu
/** What the token limit may leave behind the last whole code. */
const CUT = /[ \t\r\n]*,?[ \t\r\n]*[a-z]?$/i
/* eslint-enable regexp/no-super-linear-backtracking, regexp/no-super-linear-move */

const ENDED = new Set(['eos_token', 'stop_sequence', 'stop', 'eos'])
const CUT_OFF = new Set(['length', 'max_tokens'])

/**
 * The verdict in a completion. Category codes are matched without regard to case; codes the policy does not
 * know land in `unknown` and the verdict stays unsafe. An answer cut by the token limit is never safe, and
 * `truncated` when unsafe. An answer off this format is unsafe when it begins with that word: without categories,
 * `truncated` and with a score of 1, so that no threshold, action or `onError` lets it pass.
 *
 * @throws LlamaGuardError `unparseable_verdict` for anything else.
 */
export function parseVerdict(completion: Completion, categories: readonly Category[]): Verdict {
  const { text, finishReason } = completion
  const ending =
    finishReason === undefined || ENDED.has(finishReason) ? 'whole' : CUT_OFF.has(finishReason) ? 'cut' : 'failed'
  const answer = text.length > LONGEST ? '' : text.replace(LEADING, '').replace(TRAILING, '')
  const usage = completion.usage && { tokens: completion.usage }
  if (answer === 'safe' && ending === 'whole')
    return { safe: true, categories: [], ...scored(completion, 'safe'), ...usage }

  const unsafe = UNSAFE.exec(answer)
  const list = ending === 'whole' ? unsafe?.[1] : unsafe?.[1]?.replace(CUT, '')
  if (!unsafe || (list && !CODES.test(list))) {
    if (BEGINS_UNSAFE.test(text)) return { safe: false, categories: [], truncated: true, score: 1, ...usage }
    throw unparseable(text, ending)
  }
  const { known, unknown } = sort(list?.split(',') ?? [], categories)
  return {
    safe: false,
    categories: known,
    ...(unknown.length > 0 && { unknown }),
    ...(ending !== 'whole' && { truncated: true }),
    ...scored(completion, 'unsafe'),
    ...usage,
  }
}

function sort(codes: readonly string[], categories: readonly Category[]) {
  const ids = new Map(categories.map(({ id }) => [id.toUpperCase(), id]))
  const given = [...new Set(codes.map((code) => code.trim().toUpperCase()))].filter((code) => code !== '')
  return { known: given.flatMap((code) => ids.get(code) ?? []), unknown: given.filter((code) => !ids.has(code)) }
}

function scored({ tokens }: Completion, word: 'safe' | 'unsafe'): Pick<Verdict, 'score'> {
  const score = tokens && scoreOf(tokens, word)
  return score === undefined ? {} : { score }
}

/** Says how long and how it ended, never what: an echoed prompt is chat content. */
function unparseable(text: string, ending: 'whole' | 'cut' | 'failed'): LlamaGuardError {
  const how =
    ending === 'cut' ? ', cut by its token limit' : ending === 'failed' ? ', and said that generation failed' : ''
  return new LlamaGuardError(
    'unparseable_verdict',
    `The guard answered ${text.length} characters${how}; wanted "safe", or "unsafe" and a line of ` +
      'category codes. Check that the endpoint runs the model named by LLAMA_GUARD_MODEL.',
  )
}
