// The body of an error that a client gets instead of a reply, in the envelope of its dialect.
import type { Dialect, Refusal } from '../../dialects/dialect.js'
import { LlamaGuardError } from '../../errors.js'
import type { Decision, Expose, NamedCategory } from '../../types.js'
import type { RefusalContext } from './context.js'
import { refusalText } from './text.js'

export function errorBody(decision: Decision, status: number, context: RefusalContext): string {
  const { settings, dialect, requestId, asked } = context
  const { stage, outcome, model, categories, action, error } = exposed(decision, settings.expose)
  const calls = asked?.calls && { calls: asked.calls }
  const judge = settings.expose === 'full' && { ...(outcome.score !== undefined && { score: outcome.score }), model }
  if (action === 'block')
    return envelope(dialect, {
      stage,
      status,
      message: refusalText(decision, context) ?? blockedMessage(categories),
      type: 'content_policy_violation',
      code: 'content_filter',
      ...(settings.expose !== 'none' && { categories }),
      ...judge,
      requestId,
      ...calls,
    })
  const { message, code } = publicError(error)
  return envelope(dialect, {
    stage,
    status,
    message,
    type: failureType(status, code),
    code,
    ...judge,
    requestId,
    ...calls,
  })
}

/** The decision as its client may see it. */
export function exposed(decision: Decision, expose: Expose = 'verdict'): Decision {
  if (expose === 'full') return decision
  const { error, categories } = decision
  if (expose === 'verdict') return { ...decision, categories: categories.map(({ code, name }) => ({ code, name })) }
  // The code says what of our side failed. A client's own fault it has to know.
  const vague =
    error === undefined || error.clientFault ? error : new LlamaGuardError('guard_unavailable', undefined, error)
  return { ...decision, categories: [], ...(vague && { error: vague }) }
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

function blockedMessage(categories: readonly NamedCategory[]): string {
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
      param: code === 'content_filter' && !categories ? null : stage === 'input' ? 'messages' : 'choices',
      ...(code === 'content_filter' && !categories ? {} : { stage }),
      ...(categories && { categories }),
      ...(score !== undefined && { score }),
      ...(model !== undefined && { model }),
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
