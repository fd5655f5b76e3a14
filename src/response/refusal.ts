// What a client is told when it gets no reply: 451 blocked, 503 could not judge, 4xx its own fault, in its
// dialect's envelope.
import type { Dialect, Refusal } from '../dialects/dialect.js'
import { LlamaGuardError } from '../errors.js'
import type { Decision } from '../types.js'
import { verdictHeaders } from './verdict-headers.js'

export interface RefusalContext {
  readonly dialect: Pick<Dialect, 'refusal'>
  readonly requestId: string
  /** `policyUrl` is sent with a 451 as `Link: <...>; rel="blocked-by"`, RFC 7725 section 3. */
  readonly settings: { readonly policyUrl?: string | undefined }
  /** The input decision, when it is the output that is refused. */
  readonly input?: Decision | undefined
}

export interface HttpRefusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Status, headers and body of a decision that is not `allow`. Never quotes the text. */
export function refusalOf(
  decision: Decision,
  { dialect, requestId, settings: { policyUrl }, input }: RefusalContext,
): HttpRefusal {
  const { error } = decision
  const blocked = decision.action === 'block'
  const status = blocked ? 451 : (error?.status ?? 503)
  const stages = decision.stage === 'input' ? [decision] : [input, decision]
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...verdictHeaders(stages),
  }
  if (blocked && policyUrl !== undefined) headers['link'] = `<${policyUrl}>; rel="blocked-by"`
  if (!blocked && error?.retryAfter !== undefined) headers['retry-after'] = String(error.retryAfter)
  const refusal: Refusal = {
    stage: decision.stage,
    status,
    message: blocked ? blockedMessage(decision) : publicError(error).message,
    type: blocked ? 'content_policy_violation' : failureType(status, error?.code),
    code: blocked ? 'content_filter' : publicError(error).code,
    ...(blocked && { categories: decision.categories }),
    ...(decision.outcome.score !== undefined && { score: decision.outcome.score }),
    model: decision.model,
    requestId,
  }
  return { status, headers, body: envelope(dialect, refusal) }
}

/** A dialect of the user's own may throw, and a refusal must come out all the same. */
function envelope(dialect: RefusalContext['dialect'], refusal: Refusal): string {
  try {
    const body = JSON.stringify(dialect.refusal(refusal)) as string | undefined
    if (body !== undefined) return body
  } catch {
    // Told below in the plain envelope.
  }
  return JSON.stringify(plainDialect.refusal(refusal))
}

function blockedMessage({ categories }: Decision): string {
  const names = categories.map(({ code, name }) => `${name} (${code})`).join(', ')
  return `Blocked by the content policy${names === '' ? '' : `: ${names}`}.`
}

/** Body of a refusal where no dialect is known yet: the request could not even be read. OpenAI's envelope. */
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
 * What a client may know of a failure: the code and its fixed words. The error's own message is for the
 * operator, and that of a guard or hook from outside may quote the very text that is withheld. A client's own
 * fault is told in full, or it could not be mended.
 */
export function publicError(error: LlamaGuardError = new LlamaGuardError('internal_error')): LlamaGuardError {
  return error.clientFault ? error : new LlamaGuardError(error.code, undefined, { retryAfter: error.retryAfter })
}
