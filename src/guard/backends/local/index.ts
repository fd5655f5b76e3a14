// The `local` guard: a baseline screen that runs without any account. It is not Llama Guard: MODEL_CARD.md
// says what it misses.
// It answers in Llama Guard 1's categories, so that swapping it for the real model changes no client.
import { setImmediate as breathe } from 'node:timers/promises'
import { LlamaGuardError } from '../../../errors.js'
import type { Category, Conversation, Guard, Verdict } from '../../../types.js'
import type { Finding, Screen } from './screen.js'
import { createScreen, worse } from './screen.js'
import { PARAMETERS } from './weights.js'

export interface LocalGuardOptions {
  /**
   * Score, 0 to 1, from which a text is unsafe. Higher blocks less. Above 0.95, a slur alone no longer blocks.
   * Default: chosen in training for few false alarms on harmless requests; MODEL_CARD.md has the number.
   */
  readonly threshold?: number
}

const CATEGORIES: readonly Category[] = [
  { id: 'O1', name: 'Violence and Hate' },
  { id: 'O2', name: 'Sexual Content' },
  { id: 'O3', name: 'Criminal Planning' },
  { id: 'O4', name: 'Guns and Illegal Weapons' },
  { id: 'O5', name: 'Regulated or Controlled Substances' },
  { id: 'O6', name: 'Self-Harm' },
]

/** At most so many words make a turn that leans on the one before it: "continue", "now in French". */
const SHORT_TURN = 6
/** Thanks and greetings ask for nothing, even after a harmful turn. */
const CLOSING =
  /^\W*(?:thanks?|thank you|ok(?:ay)?|great|cool|nice|hi|hello|hey|bye|goodbye|sorry|never ?mind|stop|no)\b[^?]*$/i
/** A window takes well under a millisecond; after so many the event loop gets its turn. */
const WINDOWS_PER_BREATH = 8

/**
 * What is judged: the last turn; a short last turn of the user together with the user's turn before it,
 * because alone it says nothing. The model's replies are judged by themselves, so that a refusal is not
 * blamed for what it refuses.
 */
function judged(conversation: Conversation): string {
  const last = conversation.at(-1)
  if (last === undefined)
    throw new LlamaGuardError(
      'internal_error',
      'The guard was given an empty conversation; it wants at least one turn.',
    )
  const leans = last.role === 'User' && last.text.trim().split(/\s+/).length <= SHORT_TURN && !CLOSING.test(last.text)
  const before = leans ? conversation.slice(0, -1).findLast(({ role }) => role === 'User') : undefined
  return before === undefined ? last.text : `${before.text}\n${last.text}`
}

// Built on first use: an app with another guard pays nothing for it.
let shared: Screen | undefined

/**
 * Makes the baseline screen: a word list and a small linear model, in process. Not Llama Guard; for trying
 * things out and as a last resort.
 *
 * @throws LlamaGuardError `invalid_option` when the threshold is not a number from 0 to 1.
 */
export function createLocalGuard(options: LocalGuardOptions = {}): Guard {
  const threshold = options.threshold ?? PARAMETERS.threshold
  if (!(threshold >= 0 && threshold <= 1)) {
    throw new LlamaGuardError(
      'invalid_option',
      `threshold is ${String(options.threshold)}; the baseline screen wants a number from 0 to 1. Leave ` +
        `it out for the default, ${PARAMETERS.threshold}.`,
    )
  }
  const screen = (shared ??= createScreen(PARAMETERS))
  return {
    model: 'baseline-screen',
    identity: JSON.stringify(['baseline-screen', PARAMETERS.version, threshold]),
    categories: CATEGORIES,
    async judge(conversation: Conversation, { signal }): Promise<Verdict> {
      signal?.throwIfAborted()
      let found: Finding | undefined
      for (const [index, part] of screen.windows(judged(conversation)).entries()) {
        if (index > 0 && index % WINDOWS_PER_BREATH === 0) {
          await breathe()
          signal?.throwIfAborted()
        }
        const finding = screen.window(part)
        found = found === undefined ? finding : worse(found, finding)
      }
      const score = found?.score ?? 1
      const safe = score < threshold
      return { safe, categories: safe ? [] : (found?.categories ?? []), score }
    },
  }
}
