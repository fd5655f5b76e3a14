// The playground: answers what one guard, or two, say about a text of the reader's own, perhaps by another policy. It
// offers the whole guard, the guards it is made of, its fallbacks and the one on trial. Bounded in questions at a time.
// Nothing of it is counted, published or logged.
import type { ServerResponse } from 'node:http'
import { LlamaGuardError, toLlamaGuardError } from '../types/errors.js'
import type { LiveServices } from '../services/live.js'
import type { Services } from '../services/index.js'
import type { Conversation, Decision, Guard, GuardedRequest, Judgement, Stage, Turn, Verdict } from '../types.js'
import { type Config, type Policy, readPolicy } from '../options/config.js'
import { jsonOf, readBody } from '../request/body/index.js'
import { isObject } from '../utils/json.js'
import { promptedOf } from '../guard/backends/prompted.js'
import { judgesRole, partsOf } from '../guard/pieces.js'
import { createJudge } from '../guard/index.js'
import { decide, type PolicySettings } from '../policy.js'
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
      return problem(res, 429, { code: 'too_many_questions', message: words }, { 'retry-after': '2' })
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

interface PlaygroundAsk {
  readonly conversation: Conversation
  readonly sides: readonly Side[]
}

/** One guard to ask, and how. */
interface Side {
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
async function readAsk(req: GuardedRequest): Promise<PlaygroundAsk> {
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

export interface PlaygroundGuard {
  /** Stays the same while the options do. */
  readonly id: string
  readonly name: string
  readonly guard: Guard
  /** True when a policy of the reader's own can take the place of its own. */
  readonly takesPolicy: boolean
}

export function playgroundGuards({ guard, config }: Services): readonly PlaygroundGuard[] {
  const entry = (id: string, role: string, each: Guard): PlaygroundGuard => ({
    id,
    name: `${each.model ?? 'custom'} (${role})`,
    guard: each,
    takesPolicy: promptedOf(each) !== undefined,
  })
  const within = (id: string, whole: Guard): readonly PlaygroundGuard[] =>
    partsOf(whole).flatMap((part, index) => {
      const partId = `${id}.${index}`
      return [
        entry(partId, config.cascade && id === 'guard' ? STEPS[index]! : 'one of the panel', part),
        ...within(partId, part),
      ]
    })
  const whole = partsOf(guard).length === 0 ? 'the guard' : 'the whole guard'
  return [
    entry('guard', whole, guard),
    ...within('guard', guard),
    ...(config.fallback ?? []).map((each, index) => entry(`fallback.${index}`, 'fallback', each)),
    ...(config.shadowGuard ? [entry('shadow', 'on trial', config.shadowGuard.guard)] : []),
  ]
}

const STEPS = ['first of the cascade', 'last of the cascade']

/** What one guard said. */
export type PlaygroundResult = Awaited<ReturnType<Trial>>
type Trial = ReturnType<typeof openTrial>

/** Calls at a time, for a text in several pieces. */
const CALLS = 8

/** @throws LlamaGuardError `invalid_option` when the guard's model cannot follow the policy. */
function openTrial(
  config: Config,
  { name, guard: configured }: PlaygroundGuard,
  { policy, scores }: Pick<Side, 'policy' | 'scores'>,
) {
  const guard = variantOf(configured, policy, scores)
  const settings: PolicySettings = { ...(policy ?? config), mode: 'enforce', onError: 'closed' }
  return async (conversation: Conversation, signal: AbortSignal) => {
    const stage: Stage = conversation.at(-1)!.role === 'User' ? 'input' : 'output'
    const decided = (judgement: Judgement): Decision => decide(stage, [judgement], settings, guard.categories ?? [])
    const blocks = (verdict: Verdict): boolean => decided({ verdict, ms: 0, model: '' }).action === 'block'
    const judgement = await judged(guard, conversation, { stage, signal }, { ...config, blocks })
    const { action, outcome, categories, error } = decided(judgement)
    const { score, judgedBy, tokens } = 'verdict' in judgement ? judgement.verdict : {}
    return {
      guard: policy === undefined ? name : `${name}, by the policy given`,
      verdict: outcome.state === 'skipped' ? 'unjudged' : outcome.state,
      /** What the middleware would do in mode `enforce`. */
      action,
      categories,
      score,
      judgedBy,
      ms: judgement.ms,
      tokens,
      error: error && { code: error.code, message: error.message },
      /** The exact prompts, with the model that reads each. Empty for guards that read none. */
      prompts: promptsOf(guard, conversation, stage),
    }
  }
}

/** The guard itself, or one of the same model and server that is asked in another way. */
function variantOf(guard: Guard, policy: Side['policy'], scores: boolean): Guard {
  const needsScores = scores || policy?.threshold !== undefined || policy?.categoryThresholds !== undefined
  if (policy === undefined && !needsScores) return guard
  const { categories, task, instruction } = policy ?? {}
  const prompt = policy && { categories, task, instruction }
  return promptedOf(guard)?.variant({ policy: prompt, ...(needsScores && { logprobs: true }) }) ?? guard
}

async function judged(
  guard: Guard,
  conversation: Conversation,
  asked: { readonly stage: Stage; readonly signal: AbortSignal },
  { timeoutMs, maxChecks, blocks }: Pick<Config, 'timeoutMs' | 'maxChecks'> & { blocks: (verdict: Verdict) => boolean },
): Promise<Judgement> {
  const model = guard.model ?? 'custom'
  const { role } = conversation.at(-1)!
  if (!judgesRole(guard, role)) {
    const words = `${model} judges no turns of ${role}. In a panel another guard does.`
    return { error: new LlamaGuardError('guard_rejected', words), ms: 0, model }
  }
  const limits = { timeoutMs, maxChecks, maxAttempts: 1, concurrency: CALLS, queue: CALLS, breaker: false }
  return createJudge({ guard, policyHash: '', blocks, ...limits, cacheMax: 0, cacheTtlMs: 1 }).judge(
    conversation,
    asked,
  )
}

function promptsOf(guard: Guard, conversation: Conversation, stage: Stage): readonly { model: string; text: string }[] {
  const prompted = promptedOf(guard)
  if (prompted === undefined) return partsOf(guard).flatMap((part) => promptsOf(part, conversation, stage))
  try {
    return prompted.prompts(conversation, stage).map((text) => ({ model: guard.model ?? 'custom', text }))
  } catch {
    // The judgement says the same error.
    return []
  }
}
