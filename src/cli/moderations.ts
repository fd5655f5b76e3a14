// POST /v1/moderations, answered by the guard in OpenAI's shape: for callers that want the verdict and not a chat.
import { randomUUID } from 'node:crypto'
import { readBody } from '../conversation/body.js'
import { LlamaGuardError } from '../errors.js'
import { decide } from '../policy/index.js'
import type { Runtime } from '../runtime.js'
import type { Category, Decision, GuardedRequest, Judgement } from '../types.js'

/** One request must not become a thousand guard calls. */
const MAX_INPUTS = 64

/** The response body. Throws a `LlamaGuardError` for what cannot be read, and when any input could not be judged: half an answer reads as safe. */
export async function moderate(req: GuardedRequest, runtime: Runtime, signal: AbortSignal): Promise<object> {
  const { config, door, categories, model } = runtime
  const body = await readBody(req, { limit: config.maxBodyBytes })
  const inputs = body.kind === 'value' ? inputsOf(body.value) : undefined
  if (inputs === undefined || inputs.length === 0) throw unreadable('Send {"input": "text"}, a list of texts, or a list of text parts.')
  if (inputs.length > MAX_INPUTS) throw unreadable(`${inputs.length} inputs came in one request; send ${MAX_INPUTS} at most.`)
  const judgements = await Promise.all(inputs.map((text) => door.judge([{ role: 'User', text }], { stage: 'input', signal })))
  const failed = judgements.find((judgement) => 'error' in judgement)
  if (failed !== undefined) throw failed.error
  const settings = { ...config, mode: 'enforce', onError: 'closed' } as const
  return { id: `modr-${randomUUID()}`, model, results: judgements.map((judgement) => result(judgement, decide('input', [judgement], settings, categories), categories)) }
}

function result(judgement: Judgement, decision: Decision, known: readonly Category[]): object {
  if (decision.error !== undefined) throw decision.error
  const verdict = 'verdict' in judgement ? judgement.verdict : undefined
  const violated = new Set(decision.categories.map(({ code }) => code))
  const score = (id: string): number => verdict?.categoryScores?.[id] ?? (violated.has(id) ? (verdict?.score ?? 1) : 0)
  return {
    flagged: decision.outcome.state !== 'safe',
    categories: Object.fromEntries(known.map(({ id, name }) => [name, violated.has(id)])),
    category_scores: Object.fromEntries(known.map(({ id, name }) => [name, score(id)])),
    llama_guard: { action: decision.action, categories: decision.categories, ...(verdict?.score !== undefined && { score: verdict.score }) },
  }
}

function inputsOf(body: unknown): string[] | undefined {
  const input = typeof body === 'object' && body !== null && 'input' in body ? body.input : undefined
  const list: unknown[] = Array.isArray(input) ? input : [input]
  const texts = list.map((item) => (typeof item === 'string' ? item : textPart(item)))
  return texts.every((text) => text !== undefined) ? texts : undefined
}

function textPart(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null) return undefined
  if ('type' in item && item.type !== 'text') throw new LlamaGuardError('unsupported_content', 'The input holds a part that is not text; this endpoint judges text alone.')
  return 'text' in item && typeof item.text === 'string' ? item.text : undefined
}

function unreadable(how: string): LlamaGuardError {
  return new LlamaGuardError('unreadable_request', `The moderation request cannot be read. ${how}`)
}
