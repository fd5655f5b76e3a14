// What goes out: decides, when the handler commits its headers, who holds the body. Nothing is decided by
// what the handler was meant to send.
import type { ServerResponse } from 'node:http'
import { framingOf } from '../dialects/reply-reader.js'
import { toLlamaGuardError } from '../errors.js'
import type { Decision, NotJudgedReason } from '../types.js'
import type { ReplyContext } from './context.js'
import type { ResponseController, Hold } from './hold.js'
import { intercept } from './intercept/index.js'
import { charsetOf, mediaType } from './media-type.js'
import { type HttpRefusal, refusalOf } from './refusal.js'
import { chooseFramer } from './stream/choose-framer.js'
import { eventStreamHold } from './stream/index.js'
import { setVerdictHeaders } from './verdict-headers.js'
import { gateHold, wholeHold } from './whole/index.js'

export { setVerdictHeaders } from './verdict-headers.js'
export { refusalOf, plainDialect, type RefusalContext } from './refusal.js'
export type { ReplyContext } from './context.js'

/** A response under guard, for those who must end it before the handler does. */
export interface GuardedResponse {
  /** Answers this instead of whatever the handler makes. */
  refuse(refusal: HttpRefusal): void
  /** The source of the reply broke off: nothing that is still held may pass as a whole reply. */
  fail(decision: Decision): void
}

/** Puts the guard between the handler and the client. */
export function guardResponse(context: ReplyContext): GuardedResponse {
  let hold: Hold | undefined
  const exit = intercept(context.res, (chosen) => {
    try {
      hold = chooseHold(chosen, context)
    } catch (error) {
      // A dialect of the user's own that throws here: without a hold the reply would wait for ever.
      const decision: Decision = { ...context.decideReplyError(toLlamaGuardError(error)), action: 'unavailable' }
      refuse(refusalOf(decision, context))
      context.abort()
      context.record(decision, [])
    }
    return hold
  })
  const refuse = ({ status, headers, body }: HttpRefusal): void => exit.refuse(status, headers, body)
  return {
    refuse,
    fail(decision) {
      if (hold !== undefined) hold.fail(decision)
      else if (!context.res.headersSent) refuse(refusalOf(decision, context))
      exit.abandon()
    },
  }
}

/** For a request that is refused before anybody else may answer it. */
export function refusing(res: ServerResponse): Pick<GuardedResponse, 'refuse'> {
  const exit = intercept(res)
  return { refuse: ({ status, headers, body }) => exit.refuse(status, headers, body) }
}

function chooseHold(exit: ResponseController, context: ReplyContext): Hold | undefined {
  const { res, settings } = context
  const contentType = String(res.getHeader('content-type') ?? '')
  if (!settings.check.includes('output')) return unjudged(exit, context, 'stage-off')
  if (hasNoBody(context.method, res.statusCode)) return unjudged(exit, context, 'no-body')
  // Only whole bodies are decoded from other codings and charsets.
  const isPlain = !isEncoded(res) && /^(?:utf-?8|us-ascii|)$/i.test(charsetOf(contentType) ?? '')
  const mayFlow = settings.streaming !== 'full' && isPlain && res.statusCode !== 206
  const framing = framingOf(context.dialect, (name) => res.hasHeader(name))
  const framer = mayFlow ? chooseFramer(mediaType(contentType), framing) : undefined
  if (framer === undefined) return wholeHold(exit, context)
  // A length that was promised cannot be kept once a block may cut the stream short.
  if (res.hasHeader('content-length')) res.removeHeader('content-length')
  return eventStreamHold(exit, framer, context)
}

function isEncoded(res: ServerResponse): boolean {
  return !/^(?:identity|none|)$/i.test(String(res.getHeader('content-encoding') ?? '').trim())
}

/** No model text by its nature: nothing to judge, but with `parallel` still nothing before the input verdict. */
function unjudged(exit: ResponseController, context: ReplyContext, why: NotJudgedReason): Hold | undefined {
  if (context.gate !== undefined) return gateHold(exit, context, why)
  setVerdictHeaders(exit.res, [context.input, context.record(context.decideReply([], why), [])])
  return undefined
}

/**
 * Responses whose body Node leaves out, RFC 9110 sections 9.3.2 and 15. Not 205 or a redirect: theirs would
 * reach the client.
 */
function hasNoBody(method: string, status: number): boolean {
  return method === 'HEAD' || status < 200 || status === 204 || status === 304
}
