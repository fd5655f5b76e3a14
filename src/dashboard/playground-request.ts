// Reads what the playground is asked: a conversation, one guard or two, and perhaps a policy.
import { LlamaGuardError } from '../errors.js'
import { type Policy, readPolicy } from '../options/config.js'
import { jsonOf, readBody } from '../request/body/index.js'
import type { Conversation, GuardedRequest, Turn } from '../types.js'
import { isObject } from '../utils/json.js'

export interface PlaygroundAsk {
  readonly conversation: Conversation
  readonly sides: readonly Side[]
}

/** One guard to ask, and how. */
export interface Side {
  readonly guard: string
  /** Takes the place of the guard's own. */
  readonly policy: Policy | undefined
  /** True to ask for token log probabilities, which give a score. */
  readonly scores: boolean
}

const MOST_BYTES = 128 * 1024
const MOST_TURNS = 64
const MOST_SIDES = 2

/** @throws LlamaGuardError with a 4xx status, whose message says what is wrong. */
export async function readAsk(req: GuardedRequest): Promise<PlaygroundAsk> {
  // Other types can be sent by a form of another site.
  if (!/^application\/json\s*(?:;|$)/i.test(req.headers['content-type'] ?? ''))
    throw new LlamaGuardError('unsupported_media_type', 'The playground takes application/json.')
  const body = jsonOf(await readBody(req, { limit: MOST_BYTES }))
  if (!isObject(body)) throw unreadable('The body should be a JSON object')
  const { conversation, sides, policy } = body
  const read = policy === undefined || policy === '' ? undefined : policyIn(policy)
  return { conversation: turnsIn(conversation), sides: sidesIn(sides, read) }
}

function turnsIn(value: unknown): Conversation {
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST_TURNS)
    throw unreadable(`conversation should be a list of 1 to ${MOST_TURNS} turns`)
  return value.map((turn: unknown): Turn => {
    if (!isObject(turn) || typeof turn['text'] !== 'string' || turn['text'].trim() === '')
      throw unreadable('Each turn should have a text that is not empty')
    const { role, text } = turn
    if (role !== 'User' && role !== 'Agent') throw unreadable('The role of a turn should be User or Agent')
    return { role, text }
  })
}

function sidesIn(value: unknown, policy: Policy | undefined): readonly Side[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST_SIDES)
    throw unreadable(`sides should be a list of 1 to ${MOST_SIDES} guards`)
  return value.map((side: unknown): Side => {
    if (!isObject(side) || typeof side['guard'] !== 'string') throw unreadable('Each side should name a guard')
    const { guard, ownPolicy, scores } = side
    if (ownPolicy === true && policy === undefined)
      throw unreadable('A guard should judge by the policy, and there is none')
    return { guard, policy: ownPolicy === true ? policy : undefined, scores: scores === true }
  })
}

/** The text of a policy file, or what it says. */
function policyIn(value: unknown): Policy {
  try {
    return readPolicy(typeof value === 'string' ? JSON.parse(value) : value, 'policy')
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it cannot be read'
    throw unreadable(error instanceof SyntaxError ? `The policy is not JSON: ${why}` : why)
  }
}

function unreadable(why: string): LlamaGuardError {
  return new LlamaGuardError('unreadable_request', why.endsWith('.') ? why : `${why}.`)
}
