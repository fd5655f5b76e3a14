// Tells the guards that this package makes from objects of the operator's. Both are handed the chat; errors of the
// former never quote it, so that the log may have their words, which say what to do.
import { rememberForeign } from '../types/errors.js'
import type { Conversation, Guard, JudgeOptions, Verdict } from '../types.js'

const made = new WeakSet<Guard>()

/** For a guard that this package makes, and all of whose errors it words or has from other guards. */
export function madeHere<G extends Guard>(guard: G): G {
  made.add(guard)
  return guard
}

/** Asks a guard. An error of an object of the operator's is remembered as one. */
export function askGuard(guard: Guard, conversation: Conversation, options: JudgeOptions): Promise<Verdict> {
  return made.has(guard) ? guard.judge(conversation, options) : askForeign(guard, conversation, options)
}

async function askForeign(guard: Guard, conversation: Conversation, options: JudgeOptions): Promise<Verdict> {
  try {
    return await guard.judge(conversation, options)
  } catch (error) {
    // What we abort it with is an error of ours, which it may hand back.
    if (error !== options.signal?.reason) rememberForeign(error)
    throw error
  }
}
