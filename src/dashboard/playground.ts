// The playground: answers what one guard says about a text of the reader's own. It offers the whole guard, the guards
// it is made of, its fallbacks and the one on trial. Bounded in questions at a time. Nothing of it is counted,
// published or logged.
import type { ServerResponse } from 'node:http'
import { guardRejected, LlamaGuardError, unreadableRequest } from '../types/errors.js'
import type { LiveServices } from '../services/live.js'
import type { Services } from '../services/index.js'
import type { Conversation, Decision, Guard, GuardedRequest, Judgement, Stage, Turn } from '../types.js'
import { jsonOf, readBody } from '../request/body/index.js'
import { isObject } from '../utils/json.js'
import { promptsOf } from '../guard/backends/prompted.js'
import { judgesRole, partsOf } from '../guard/pieces.js'
import { createJudge } from '../guard/index.js'
import { decide, type PolicySettings } from '../policy.js'
import { json, problem } from './replies.js'

/** Questions at a time. */
const MOST_QUESTIONS = 4

/** Answers one question. */
export function createPlayground(live: LiveServices) {
  let questions = 0
  return async (req: GuardedRequest, res: ServerResponse): Promise<void> => {
    if (questions >= MOST_QUESTIONS) {
      const words = `${MOST_QUESTIONS} questions are being answered. Try again in a moment.`
      return problem(res, 429, { code: 'too_many_questions', message: words }, { 'retry-after': '2' })
    }
    questions++
    const left = new AbortController()
    res.once('close', () => left.abort())
    try {
      const { conversation, id } = await readQuestion(req)
      const result = await live.during((services) => {
        const offered = playgroundGuards(services)
        const asked = offered.find((each) => each.id === id)
        if (asked === undefined)
          throw unreadable(`There is no such guard. Take one of ${offered.map((each) => each.id).join(', ')}`)
        return judged(asked, conversation, services, left.signal)
      })
      json(res, 200, result)
    } finally {
      questions--
    }
  }
}

const MOST_BYTES = 128 * 1024

/** @throws LlamaGuardError with a 4xx status, whose message says what is wrong. */
async function readQuestion(req: GuardedRequest): Promise<{ conversation: Conversation; id: unknown }> {
  // Other types can be sent by a form of another site.
  if (!/^application\/json\s*(?:;|$)/i.test(req.headers['content-type'] ?? ''))
    throw new LlamaGuardError('unsupported_media_type', 'The playground takes application/json.')
  const body = jsonOf(await readBody(req, { limit: MOST_BYTES }))
  if (!isObject(body)) throw unreadable('The body should be a JSON object')
  const { user, agent = '', guard: id } = body
  if (typeof user !== 'string' || user.trim() === '') throw unreadable('user should be a text that is not empty')
  if (typeof agent !== 'string') throw unreadable('agent should be a text')
  const asked: Turn = { role: 'User', text: user }
  return { conversation: agent.trim() === '' ? [asked] : [asked, { role: 'Agent', text: agent }], id }
}

const unreadable = (why: string): LlamaGuardError => unreadableRequest(`${why}.`)

export interface PlaygroundGuard {
  /** Stays the same while the options do. */
  readonly id: string
  readonly name: string
  readonly guard: Guard
}

export function playgroundGuards({ guard, config }: Services): readonly PlaygroundGuard[] {
  const entry = (id: string, role: string, each: Guard): PlaygroundGuard => ({
    id,
    name: `${each.model ?? 'custom'} (${role})`,
    guard: each,
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

export type PlaygroundResult = Awaited<ReturnType<typeof judged>>

/** Calls at a time, for a text in several pieces. */
const CALLS = 8

/** What one guard says, and what the middleware would do in mode `enforce`. */
async function judged(
  { guard, name }: PlaygroundGuard,
  conversation: Conversation,
  { config }: Services,
  signal: AbortSignal,
) {
  const { role } = conversation.at(-1)!
  const stage: Stage = role === 'User' ? 'input' : 'output'
  const model = guard.model ?? 'custom'
  const settings: PolicySettings = { ...config, mode: 'enforce', onError: 'closed' }
  const decided = (judgement: Judgement): Decision => decide(stage, [judgement], settings, guard.categories ?? [])
  const judge = createJudge({
    guard,
    policyHash: '',
    blocks: (verdict) => decided({ verdict, ms: 0, model }).action === 'block',
    ...{ timeoutMs: config.timeoutMs, maxChecks: config.maxChecks, maxAttempts: 1 },
    ...{ concurrency: CALLS, queue: CALLS, breaker: false, cacheMax: 0, cacheTtlMs: 1 },
  })
  const none = `${model} judges no turns of ${role}. In a panel another guard does.`
  const judgement: Judgement = judgesRole(guard, role)
    ? await judge.judge(conversation, { stage, signal })
    : { error: guardRejected(none), ms: 0, model }
  const { action, outcome, categories, error } = decided(judgement)
  const { score, judgedBy, tokens } = 'verdict' in judgement ? judgement.verdict : {}
  return {
    guard: name,
    verdict: outcome.state === 'skipped' ? 'unjudged' : outcome.state,
    action,
    categories,
    score,
    judgedBy,
    ms: judgement.ms,
    tokens,
    error: error && { code: error.code, message: error.message },
    /** The exact prompts, with the model that reads each. Empty for guards that read none. */
    prompts: promptsFor(guard, conversation, stage),
  }
}

function promptsFor(
  guard: Guard,
  conversation: Conversation,
  stage: Stage,
): readonly { model: string; text: string }[] {
  const prompts = promptsOf(guard)
  if (prompts === undefined) return partsOf(guard).flatMap((part) => promptsFor(part, conversation, stage))
  try {
    return prompts(conversation, stage).map((text) => ({ model: guard.model ?? 'custom', text }))
  } catch {
    // The judgement says the same error.
    return []
  }
}
