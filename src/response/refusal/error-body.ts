// The body of an error that a client gets instead of a reply, in the envelope of its dialect.
import type { Dialect, Refusal } from '../../dialects/dialect.js'
import { LlamaGuardError } from '../../errors.js'
import type { Decision } from '../../types.js'
import type { RefusalContext } from './context.js'
import { refusalText } from './text.js'

export function errorBody(decision: Decision, status: number, context: RefusalContext): string {
  const { settings, req, dialect, requestId, asked } = context
  const blocked = decision.action === 'block'
  const own = blocked ? ownBody(decision, context) : undefined
  if (own !== undefined) return own
  const text = blocked ? refusalText(settings.refusalText, decision, req) : undefined
  return envelope(dialect, {
    stage: decision.stage,
    status,
    message: blocked ? (text ?? blockedMessage(decision)) : publicError(decision.error).message,
    type: blocked ? 'content_policy_violation' : failureType(status, decision.error?.code),
    code: blocked ? 'content_filter' : publicError(decision.error).code,
    ...(blocked && { categories: decision.categories }),
    ...(decision.outcome.score !== undefined && { score: decision.outcome.score }),
    model: decision.model,
    requestId,
    ...(asked?.calls && { calls: asked.calls }),
  })
}

/** The body from the operator's hook `refusal`; undefined when the hook returns none or throws. */
function ownBody(decision: Decision, { settings: { refusal }, req }: RefusalContext): string | undefined {
  if (refusal === undefined || req === undefined) return undefined
  try {
    return JSON.stringify(refusal(decision, req))
  } catch {
    return undefined
  }
}

/** The refusal in the dialect's envelope, or in OpenAI's when a custom dialect throws. */
function envelope(dialect: RefusalContext['dialect'], refusal: Refusal): string {
  try {
    const body = JSON.stringify(dialect.refusal(refusal)) as string | undefined
    if (body !== undefined) return body
  } catch {
    // The plain envelope below is used.
  }
  return JSON.stringify(plainDialect.refusal(refusal))
}

function blockedMessage({ categories }: Decision): string {
  const names = categories.map(({ code, name }) => `${name} (${code})`).join(', ')
  return `Blocked by the content policy${names === '' ? '' : `: ${names}`}.`
}

/** OpenAI's envelope, for a request whose dialect is not known, for example because it could not be read. */
export const plainDialect: Pick<Dialect, 'refusal'> = {
  refusal: ({ message, type, code, stage, categories, score, model, requestId }) => ({
    error: {
      message,
      type,
      code,
      param: stage === 'input' ? 'messages' : 'choices',
      stage,
      ...(categories && { categories }),
      ...(score !== undefined && { score }),
      model,
      request_id: requestId,
    },
  }),
}

function failureType(status: number, code: string | undefined): string {
  if (status < 500) return 'invalid_request_error'
  return code === 'upstream_unavailable' ? 'server_error' : 'guard_unavailable'
}

/**
 * The part of an error that a client may see: the code and its fixed words. The error's own message is for the
 * operator. The message of a custom guard or hook may even quote the text that is withheld. The message of a client's
 * own fault is sent in full, because the client needs it to correct the request.
 */
export function publicError(error: LlamaGuardError = new LlamaGuardError('internal_error')): LlamaGuardError {
  // A custom guard may throw `guard_input_too_long` with a message that quotes the text.
  return error.clientFault && error.code !== 'guard_input_too_long'
    ? error
    : new LlamaGuardError(error.code, undefined, { retryAfter: error.retryAfter, clientFault: error.clientFault })
}
