// What dialects write in place of a reply: refusal bodies, and what the last events of a stream have in common. The
// field names are those of OpenAI's error object, which the SDKs read.
import type { LlamaGuardError } from '../../types/errors.js'
import type { Decision, NamedCategory } from '../../types.js'
import type { Refusal } from '../dialect.js'

export interface Params {
  /** The field of the request that holds the conversation. */
  readonly input: string
  /** The field of the reply that holds the model's words. */
  readonly output: string
}

/**
 * All fields of a refusal except its message, in the order of OpenAI's error object. A block without categories tells
 * nothing of the verdict, so neither its stage.
 */
export function refusalDetails(refusal: Refusal): Record<string, unknown> {
  return {
    ...(tellsStage(refusal) && { stage: refusal.stage }),
    ...(refusal.categories === undefined ? {} : { categories: named(refusal.categories) }),
    ...(refusal.score === undefined ? {} : { score: refusal.score }),
    ...(refusal.model === undefined ? {} : { model: refusal.model }),
    request_id: refusal.requestId,
  }
}

const tellsStage = ({ code, categories }: Refusal): boolean => code !== 'content_filter' || categories !== undefined

export function openaiRefusal(refusal: Refusal, params: Params): unknown {
  const { message, type, code } = refusal
  const param = code === 'content_filter' && tellsStage(refusal) ? params[refusal.stage] : null
  return { error: { message, type, code, param, ...refusalDetails(refusal) } }
}

/** The type of a failure on our side. It is the same in a stream and in a JSON body. */
export function failureType({ code }: LlamaGuardError): string {
  return code === 'upstream_unavailable' ? 'server_error' : 'guard_unavailable'
}

/** The `error` object of a stream that failed after its first byte. */
export function streamFailure(error: LlamaGuardError): Record<string, unknown> {
  return { message: error.message, type: failureType(error), code: error.code, param: null }
}

/** The note in the last chunk of a blocked stream. */
export function blockNote(decision: Decision): { stage: string; categories: NamedCategory[] } {
  return { stage: decision.stage, categories: named(decision.categories) }
}

export function blockMessage(decision: Decision): string {
  const names = decision.categories.map(({ code, name }) => `${name} (${code})`).join(', ')
  return names === '' ? 'Blocked by the content policy.' : `Blocked by the content policy: ${names}.`
}

export function sse(data: unknown, event?: string): string {
  const lines = `data: ${JSON.stringify(data)}\n\n`
  return event === undefined ? lines : `event: ${event}\n${lines}`
}

/** Events that are named by their field `type`, or by another. */
export function typedEvents(events: readonly object[], field = 'type'): string {
  return events.map((event) => sse(event, (event as Readonly<Record<string, string>>)[field])).join('')
}

function named(categories: readonly NamedCategory[]): NamedCategory[] {
  return categories.map(({ code, name, guard }) => ({ code, name, ...(guard !== undefined && { guard }) }))
}
