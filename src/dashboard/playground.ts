// The playground: answers what one guard, or two, say about a text of the reader's own. Bounded in questions at a time.
// Nothing of it is counted, published or logged.
import type { ServerResponse } from 'node:http'
import { LlamaGuardError, toLlamaGuardError } from '../errors.js'
import type { LiveServices } from '../services/live.js'
import type { Services } from '../services/index.js'
import type { GuardedRequest } from '../types.js'
import { type PlaygroundGuard, playgroundGuards } from './playground-guards.js'
import { type PlaygroundAsk, readAsk, type Side } from './playground-request.js'
import { openTrial, type PlaygroundResult, type Trial } from './playground-trial.js'
import { json, problem } from './replies.js'

/** Questions at a time. */
const MOST_QUESTIONS = 4

export class Playground {
  readonly #live: LiveServices
  #questions = 0

  constructor(live: LiveServices) {
    this.#live = live
  }

  async answer(req: GuardedRequest, res: ServerResponse): Promise<void> {
    if (this.#questions >= MOST_QUESTIONS) {
      const words = `${MOST_QUESTIONS} questions are being answered. Try again in a moment.`
      return problem(res, 429, 'too_many_questions', words, { 'retry-after': '2' })
    }
    this.#questions++
    const left = new AbortController()
    res.once('close', () => left.abort())
    try {
      const ask = await readAsk(req)
      const results = await this.#live.during((services) => judgeSides(services, ask, left.signal))
      json(res, 200, { results })
    } finally {
      this.#questions--
    }
  }
}

async function judgeSides(
  services: Services,
  { conversation, sides }: PlaygroundAsk,
  signal: AbortSignal,
): Promise<readonly PlaygroundResult[]> {
  const offered = playgroundGuards(services)
  const trials = sides.map((side) => trialOf(services, side, offered))
  const results: PlaygroundResult[] = []
  // One after the other: two guards at once could slow each other down.
  for (const trial of trials) results.push(await trial(conversation, signal))
  return results
}

function trialOf({ config }: Services, { guard: id, ...how }: Side, offered: readonly PlaygroundGuard[]): Trial {
  const entry = offered.find((each) => each.id === id)
  if (entry === undefined)
    throw new LlamaGuardError(
      'unreadable_request',
      `There is no such guard. Take one of ${offered.map((each) => each.id).join(', ')}.`,
    )
  if (how.policy !== undefined && !entry.takesPolicy)
    throw new LlamaGuardError('unreadable_request', `${entry.name} reads no prompt, so it takes no other policy.`)
  try {
    return openTrial(config, entry, how)
  } catch (error) {
    // A model that cannot follow this policy says so in the words for a wrong option.
    throw new LlamaGuardError('unreadable_request', toLlamaGuardError(error).message)
  }
}
