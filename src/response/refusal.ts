// Builds the answer to a client that gets no reply: 451 blocked, 503 could not judge, 4xx the client's own fault, in
// the envelope of its dialect; or words of the model in the client's own API, with `onBlock: 'refusal'`; or what the
// operator's `handler` writes.
import { type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import Negotiator from 'negotiator'
import type { Dialect, Refusal } from '../dialects/dialect.js'
import { blockMessage, failureType, openaiRefusal } from '../dialects/kit/refusals.js'
import type { Decision, Expose, GuardedRequest, Stage, TextByLanguage } from '../types.js'
import { LlamaGuardError, publicError } from '../types/errors.js'
import type { RefusalContext, RefusalSettings } from './context.js'
import { verdictHeaders } from './head.js'

export type { RefusalContext, RefusalSettings } from './context.js'

export interface HttpRefusal {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: string | Buffer
}

/** Status, headers and body of a decision that is not `allow`. None of them quotes the judged text. */
export function refusalOf(decision: Decision, context: RefusalContext): HttpRefusal {
  const own = handled(decision, context)
  if (own !== undefined)
    return { ...own, headers: { ...headersOf(decision, context, 'text/plain; charset=utf-8'), ...own.headers } }
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

/** What the operator's `handler` answers to a block. Undefined without one, and when it fails. */
function handled(decision: Decision, context: RefusalContext): OwnAnswer | undefined {
  const { settings, req } = context
  if (settings.handler === undefined || req === undefined || decision.action !== 'block') return undefined
  try {
    return ownAnswer(settings.handler, req, decision, (error) => context.tellOperator?.('handler', error))
  } catch (error) {
    context.tellOperator?.('handler', error)
    return undefined
  }
}

function statusOf({ action, error }: Decision, { blockStatus = 451 }: RefusalSettings): number {
  return action === 'block' ? blockStatus : (error?.status ?? 503)
}

function headersOf(decision: Decision, { input, settings }: RefusalContext, type: string): Record<string, string> {
  const stages = decision.stage === 'input' ? [decision] : [input, decision]
  const headers: Record<string, string> = {
    'content-type': type,
    'cache-control': 'no-store',
    ...verdictHeaders(stages, settings.expose),
  }
  const { policyUrl } = settings
  if (decision.action === 'block') {
    if (policyUrl !== undefined) headers['link'] = `<${policyUrl}>; rel="blocked-by"`
  } else if (decision.error?.retryAfter !== undefined) headers['retry-after'] = String(decision.error.retryAfter)
  return headers
}

interface OwnAnswer {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
}

type Handler = (req: GuardedRequest, res: ServerResponse, decision: Decision) => void

/**
 * What the handler answers.
 * @throws what the handler throws, and a TypeError when it has not ended its answer at once.
 */
function ownAnswer(
  handler: Handler,
  req: GuardedRequest,
  decision: Decision,
  failed: (error: unknown) => void,
): OwnAnswer {
  const answer = new ServerResponse(req)
  // In an Express app it has Express' methods too.
  const { res } = req as GuardedRequest & { res?: ServerResponse }
  if (res instanceof ServerResponse) Object.setPrototypeOf(answer, Object.getPrototypeOf(res) as object)
  const chunks: Buffer[] = []
  let ended = false
  const keep = (chunk: unknown, encoding: unknown): void => {
    if (typeof chunk === 'string')
      chunks.push(Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'))
    else if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk))
  }
  Object.assign(answer, {
    write(chunk: unknown, encoding: unknown) {
      keep(chunk, encoding)
      return true
    },
    end(chunk: unknown, encoding: unknown) {
      keep(chunk, encoding)
      ended = true
      return answer
    },
    writeHead(status: number, ...rest: unknown[]) {
      answer.statusCode = status
      const headers = rest.at(-1)
      if (typeof headers === 'object' && headers !== null)
        for (const [name, value] of Object.entries(headers)) answer.setHeader(name, value as string)
      return answer
    },
  })
  // The type returns void, but an async function fits it too. Its rejection would end the process.
  const answered: unknown = handler(req, answer, decision)
  if (answered instanceof Promise) answered.catch(failed)
  if (!ended) throw new TypeError('handler(req, res, decision) has to end its answer before it returns')
  return { status: answer.statusCode, headers: answer.getHeaders(), body: Buffer.concat(chunks) }
}

/** The words that take the place of the rest of a stream, with `onBlock: 'refusal'`. */
export function lastWords(decision: Decision, context: RefusalContext): string | undefined {
  if (decision.action !== 'block' || context.settings.onBlock !== 'refusal') return undefined
  return refusalText(decision, context) ?? DEFAULT_REFUSAL
}

/** A reply in the client's own API and framing that declines; undefined when the refusal is an error. */
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

function errorBody(decision: Decision, status: number, context: RefusalContext): string {
  const { settings, dialect, requestId, asked } = context
  const told = exposed(decision, settings.expose)
  const { stage, outcome, model, categories, action } = told
  const calls = asked?.calls && { calls: asked.calls }
  const judge = settings.expose === 'full' && { ...(outcome.score !== undefined && { score: outcome.score }), model }
  if (action === 'block')
    return envelope(dialect, {
      stage,
      status,
      message: refusalText(decision, context) ?? blockMessage(told),
      type: 'content_policy_violation',
      code: 'content_filter',
      ...(settings.expose !== 'none' && { categories }),
      ...judge,
      requestId,
      ...calls,
    })
  const error = publicError(told.error)
  const { message, code } = error
  return envelope(dialect, {
    stage,
    status,
    message,
    type: status < 500 ? 'invalid_request_error' : failureType(error),
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

/** OpenAI's envelope, for a request whose dialect is not known, for example because it could not be read. */
export const plainDialect: Pick<Dialect, 'refusal'> = {
  refusal: (refusal) => openaiRefusal(refusal, { input: 'messages', output: 'choices' }),
}

/** Neutral: it names no rule and blames nobody. */
export const DEFAULT_REFUSAL = 'Sorry, I can’t help with that.'

/** The text for this decision and client; undefined when the option gives none for the stage. */
export function refusalText(decision: Decision, context: RefusalContext): string | undefined {
  const { settings, req } = context
  const option = settings.refusalText
  if (option === undefined) return undefined
  if (typeof option === 'function') {
    if (req === undefined) return undefined
    try {
      const text: unknown = option(decision, req)
      if (text instanceof Promise) text.catch((error: unknown) => context.tellOperator?.('refusalText', error))
      return typeof text === 'string' && text !== '' ? text : undefined
    } catch (error) {
      // The client still gets a refusal.
      context.tellOperator?.('refusalText', error)
      return undefined
    }
  }
  if (typeof option === 'string') return option
  const texts = isByStage(option) ? option[decision.stage] : option
  return texts === undefined || typeof texts === 'string' ? texts : inLanguage(texts, req)
}

function isByStage(option: object): option is { readonly [S in Stage]?: TextByLanguage } {
  return 'input' in option || 'output' in option
}

function inLanguage(texts: Readonly<Record<string, string>>, req: IncomingMessage | undefined): string | undefined {
  const tags = Object.keys(texts)
  const [first] = tags
  const wanted = req?.headers['accept-language'] === undefined ? undefined : new Negotiator(req).language(tags)
  const tag = wanted ?? first
  return tag === undefined ? undefined : texts[tag]
}
