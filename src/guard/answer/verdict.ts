// Reads the answer of Llama Guard: `safe`, or `unsafe` and the violated categories on the next line. Only the exact
// word `safe` is safe: a reader that accepts "starts with safe" would let an echo, a cut or an off-format answer
// pass. An answer that begins with the word `unsafe` blocks, whatever follows it.
import type { Category, Verdict } from '../../types.js'
import { answerOf, offFormatUnsafe, unparseable, withoutEnd } from './answer.js'
import type { Completion } from './completion.js'
import { scoreOf } from './score.js'

const UNSAFE = /^unsafe(?:[ \t]*\r?\n([^]+))?$/i
const CODES = /^[a-z]\d{1,3}(?:[ \t\r\n]*,[ \t\r\n]*[a-z]\d{1,3})*[ \t\r\n]*,?$/i
/**
 * The word `unsafe` at the beginning of an off-format answer. A category code may follow it without a space. Another
 * letter makes it a different word, such as "unsafely".
 */
const BEGINS_UNSAFE = /^\s*unsafe(?:[a-z]\d|[^\p{L}\p{M}]|$)/iu

/**
 * Reads the verdict in a completion. Category codes are matched without regard to case. Codes that the policy does
 * not know go into `unknown`, and the verdict stays unsafe. An answer cut by the token limit is never safe; when it
 * is unsafe, it is `truncated`. An off-format answer that begins with the word unsafe gives an unsafe verdict without
 * categories, `truncated` and with a score of 1, so that no threshold, action or `onError` lets the text pass.
 * @throws LlamaGuardError `unparseable_verdict` for anything else.
 */
export function parseVerdict(completion: Completion, categories: readonly Category[]): Verdict {
  const { text } = completion
  const { answer, ending } = answerOf(completion)
  const usage = completion.usage && { tokens: completion.usage }
  if (answer === 'safe' && ending === 'whole')
    return { safe: true, categories: [], ...scored(completion, 'safe'), ...usage }

  const unsafe = UNSAFE.exec(answer)
  const codes = unsafe?.[1]?.replace(/^[ \t\r\n]+/, '')
  const list = ending === 'whole' ? codes : codes && withoutCut(codes)
  if (!unsafe || (list && !CODES.test(list))) {
    if (BEGINS_UNSAFE.test(text)) return offFormatUnsafe(completion)
    throw unparseable(completion, 'wanted "safe", or "unsafe" and a line of category codes')
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

/**
 * The codes without the incomplete rest that the token limit may leave behind the last whole code: a comma, and the
 * letter of the next code.
 */
function withoutCut(codes: string): string {
  const whole = withoutEnd(codes.replace(/[a-z]$/i, ''))
  return whole.endsWith(',') ? withoutEnd(whole.slice(0, -1)) : whole
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
