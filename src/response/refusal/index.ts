// Builds the answer to a client that gets no reply: 451 blocked, 503 could not judge, 4xx the client's own fault, in
// the envelope of its dialect.
import type { OutgoingHttpHeaders } from 'node:http'
import type { Decision } from '../../types.js'
import { verdictHeaders } from '../verdict-headers.js'
import type { RefusalContext, RefusalSettings } from './context.js'
import { declinedReply } from './declined-reply.js'
import { errorBody } from './error-body.js'
import { ownAnswer, type OwnAnswer } from './own-answer.js'

export type { RefusalContext, RefusalSettings } from './context.js'
export { lastWords } from './declined-reply.js'
export { exposed, plainDialect, publicError } from './error-body.js'

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
    return ownAnswer(settings.handler, req, decision)
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
