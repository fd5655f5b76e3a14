// Builds the answer to a client that gets no reply: 451 blocked, 503 could not judge, 4xx the client's own fault, in
// the envelope of its dialect.
import type { Dialect, Refusal, RpcCall } from '../dialects/dialect.js'
import { LlamaGuardError } from '../errors.js'
import type { Decision, GuardedRequest, RefusalText } from '../types.js'
import { DEFAULT_REFUSAL, refusalText } from './refusal-text.js'
import { verdictHeaders } from './verdict-headers.js'

export interface RefusalSettings {
  /** Sent with a block as `Link: <...>; rel="blocked-by"`, RFC 7725 section 3. */
  readonly policyUrl?: string | undefined
  readonly onBlock?: 'error' | 'refusal'
  readonly blockStatus?: number
  readonly refusalText?: RefusalText | undefined
  readonly refusal?: ((decision: Decision, req: GuardedRequest) => unknown) | undefined
}

export interface AskedFor {
  readonly stream: boolean
  readonly model?: string | undefined
  readonly calls?: readonly RpcCall[] | undefined
}

/** The data that a refusal depends on beside the decision. */
export interface RefusalContext {
  readonly dialect: Pick<Dialect, 'refusal'> & Partial<Dialect>
  readonly requestId: string
  readonly settings: RefusalSettings
  /** The input decision, when the output is refused. */
  readonly input?: Decision | undefined
  readonly req?: GuardedRequest
  /** What the client asked for; undefined until the request is read. */
  readonly asked?: AskedFor | undefined
}

export interface HttpRefusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Status, headers and body of a decision that is not `allow`. None of them quotes the judged text. */
export function refusalOf(decision: Decision, context: RefusalContext): HttpRefusal {
  const declined = declinedReply(decision, context)
  if (declined !== undefined)
    return {
      status: 200,
      headers: { ...headersOf(decision, context, declined.type), ...declined.headers },
      body: declined.body,
    }
  const status = statusOf(decision, context.settings)
  return {
    status,
    headers: headersOf(decision, context, 'application/json'),
    body: errorBody(decision, status, context),
  }
}

/** The words that take the place of the rest of a stream, with `onBlock: 'refusal'`. */
export function lastWords(decision: Decision, { settings, req }: RefusalContext): string | undefined {
  if (decision.action !== 'block' || settings.onBlock !== 'refusal') return undefined
  return refusalText(settings.refusalText, decision, req) ?? DEFAULT_REFUSAL
}

/** With `onBlock: 'refusal'`: a reply in the client's own API and framing that declines. */
function declinedReply(
  decision: Decision,
  context: RefusalContext,
): { readonly type: string; readonly body: string; readonly headers?: Readonly<Record<string, string>> } | undefined {
  const words = lastWords(decision, context)
  const { dialect, asked } = context
  if (words === undefined || asked === undefined || dialect.decline === undefined) return undefined
  try {
    const declined = { words, model: asked.model, decision, calls: asked.calls }
    if (asked.stream && dialect.framing === 'json-array' && !asksForEvents(context.req))
      return { type: 'application/json', body: JSON.stringify([dialect.decline({ ...declined, stream: true })]) }
    if (asked.stream && dialect.stream !== undefined) {
      const type = dialect.framing === 'ndjson' ? 'application/x-ndjson' : 'text/event-stream'
      return { type, body: dialect.stream(asked.calls).block(decision, words), headers: dialect.headers ?? {} }
    }
    const body = JSON.stringify(dialect.decline({ ...declined, stream: false })) as string | undefined
    return body === undefined ? undefined : { type: 'application/json', body }
  } catch {
    // A custom dialect may throw. The error body says the same.
    return undefined
  }
}

/** Google's APIs stream an array unless the query asks for server-sent events. */
function asksForEvents(req: GuardedRequest | undefined): boolean {
  return /[?&](?:\$|%24)?alt=sse(?:&|$)/i.test(req?.originalUrl ?? req?.url ?? '')
}

function statusOf({ action, error }: Decision, { blockStatus = 451 }: RefusalSettings): number {
  return action === 'block' ? blockStatus : (error?.status ?? 503)
}

function headersOf(decision: Decision, { input, settings }: RefusalContext, type: string): Record<string, string> {
  const stages = decision.stage === 'input' ? [decision] : [input, decision]
  const headers: Record<string, string> = {
    'content-type': type,
    'cache-control': 'no-store',
    ...verdictHeaders(stages),
  }
  const { policyUrl } = settings
  if (decision.action === 'block') {
    if (policyUrl !== undefined) headers['link'] = `<${policyUrl}>; rel="blocked-by"`
  } else if (decision.error?.retryAfter !== undefined) headers['retry-after'] = String(decision.error.retryAfter)
  return headers
}

function errorBody(decision: Decision, status: number, context: RefusalContext): string {
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
  // A custom guard may quote the text in this message.
  return error.clientFault && error.code !== 'guard_input_too_long'
    ? error
    : new LlamaGuardError(error.code, undefined, { retryAfter: error.retryAfter, clientFault: error.clientFault })
}
