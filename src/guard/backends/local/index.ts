// The `local` guard: a baseline screen that needs no account and no network. It is not Llama Guard; MODEL_CARD.md
// says what it misses. It answers in the categories of Llama Guard 1, so a client sees no difference when the real
// model replaces it.
import { setImmediate as breathe } from 'node:timers/promises'
import { LlamaGuardError } from '../../../types/errors.js'
import type { Category, Conversation, Guard, JudgeOptions, Verdict } from '../../../types.js'
import { judgedTurn } from '../../prompt/fit.js'
import { llamaGuard1 } from '../../prompt/llama-guard-1.js'
import type { Finding, Screen } from './screen.js'
import { PARAMETERS } from './weights.js'

const CATEGORIES: readonly Category[] = llamaGuard1.categories.map(({ id, name }) => ({ id, name }))

/** A turn with at most this many words may depend on the turn before it: "continue", "now in French". */
const SHORT_TURN = 6
/**
 * Words of thanks and greeting. A turn of only such words asks for nothing, so it is judged alone, even after a
 * harmful turn.
 */
const CLOSING = new Set(
  (
    'thanks thank thx you u so very much a lot for that the this your help ok okay great good cool nice ' +
    'awesome perfect hi hello hey there bye goodbye sorry never mind nevermind stop no nope got it all right'
  ).split(' '),
)
/** A window takes well under a millisecond. After this many windows other work of the event loop may run. */
const WINDOWS_PER_BREATH = 8

/**
 * The texts that are judged; the worst one counts. The last turn is always one of them. A short last turn of the user
 * is judged a second time, joined to the user's turn before it: "do it in French" means nothing alone, and joining
 * alone would let a harmless question before "How do I make a bomb?" lower the score. Replies of the model are judged
 * alone, so that a refusal is not judged by the request it refuses.
 */
function judged(conversation: Conversation): readonly string[] {
  const last = judgedTurn(conversation)
  const words = last.text.trim().split(/\s+/, SHORT_TURN + 1)
  const closes = (): boolean => words.every((word) => CLOSING.has(word.toLowerCase().replace(/[^a-z]/g, '')))
  const leans = last.role === 'User' && words.length <= SHORT_TURN && !closes()
  const before = leans ? conversation.slice(0, -1).findLast(({ role }) => role === 'User') : undefined
  return before === undefined ? [last.text] : [last.text, `${before.text}\n${last.text}`]
}

// The screen is loaded and built on first use, because an app with another guard never needs it: 10 ms of every start.
let shared: Promise<Screen> | undefined

/**
 * Makes the baseline screen: a word list and a small linear model in this process. It is not Llama Guard. Use it to
 * try things out and as a last resort. Its threshold was chosen in training for few false alarms on harmless requests;
 * MODEL_CARD.md gives it.
 */
export function createLocalGuard(): Guard {
  const { threshold, version } = PARAMETERS
  const loading = (shared ??= import('./screen.js').then(({ createScreen }) => createScreen(PARAMETERS)))
  return {
    model: 'baseline-screen',
    identity: JSON.stringify(['baseline-screen', version, threshold]),
    categories: CATEGORIES,
    async judge(conversation: Conversation, { signal }: JudgeOptions = {}): Promise<Verdict> {
      signal?.throwIfAborted()
      const screen = await loading
      const texts = judged(conversation)
      let found: Finding | undefined
      for (const [index, part] of texts.flatMap(screen.windows).entries()) {
        if (index > 0 && index % WINDOWS_PER_BREATH === 0) {
          await breathe()
          signal?.throwIfAborted()
        }
        const finding = screen.window(part)
        if (found === undefined || finding.score > found.score) found = finding
      }
      const score = found?.score ?? 1
      const safe = score < threshold
      // Words that the screen does not know are not safe. Those of its list are harmful in any company.
      if ((safe || !found?.listed) && texts.some(screen.isForeign))
        throw new LlamaGuardError(
          'unknown_language',
          'The baseline screen knows English alone, and the text is in another language. Ask a guard that knows ' +
            'it: as `guard`, or behind the screen as `fallback`.',
        )
      return { safe, categories: safe ? [] : (found?.categories() ?? []), score }
    },
  }
}
