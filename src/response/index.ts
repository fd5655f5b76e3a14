// Decides, when the handler commits its headers, which hold keeps the body. The decision depends on the real headers
// of the reply, not on what the request asked for.
import type { ServerResponse } from 'node:http'
import type { Dialect } from '../dialects/dialect.js'
import { generic } from '../dialects/generic.js'
import type { Decision, GuardedRequest, NotJudgedReason } from '../types.js'
import { Framer } from '../wire/framer.js'
import type { Hold, ReplyContext, ResponseController } from './context.js'
import { codingsOf, framingOf, isMedia, isSuccess, isUtf8, labelOf, mediaType, setVerdictHeaders } from './head.js'
import { intercept } from './intercept/index.js'
import { type HttpRefusal, plainDialect, type RefusalContext, refusalOf } from './refusal.js'
import { eventStreamHold } from './stream/index.js'
import { gateHold, wholeHold } from './whole/index.js'

export { setVerdictHeaders } from './head.js'
export type { ReplyContext } from './context.js'

/** A guarded response, for code that must end it before the handler does. */
export interface GuardedResponse {
  /** Answers with this refusal instead of the handler's reply. */
  refuse(refusal: HttpRefusal): void
  /** Call it when the source of the reply broke off. What is still held is then not released as a complete reply. */
  fail(decision: Decision): void
}

/** Puts the guard between the handler and the client. */
export function guardResponse(context: ReplyContext): GuardedResponse {
  let hold: Hold | undefined
  const choose = (chosen: ResponseController): Hold | undefined => {
    try {
      hold = chooseHold(chosen, context)
    } catch (error) {
      // A dialect of the user's own that throws here: without a hold the reply would wait for ever.
      const decision: Decision = { ...context.decideError('output', error), action: 'unavailable' }
      context.record(decision, [])
      refuse(refusalOf(decision, context))
      context.abort()
    }
    return hold
  }
  const controller = intercept(context.res, choose, context.clock)
  const refuse = ({ status, headers, body }: HttpRefusal): void => controller.refuse(status, headers, body)
  return {
    refuse,
    fail(decision) {
      if (hold !== undefined) hold.fail(decision)
      else if (!context.res.headersSent) {
        context.record(decision, [])
        refuse(refusalOf(decision, context))
      }
      controller.abandon()
    },
  }
}

/**
 * Answers with a decision that is not `allow`, through the guarded response if there is one. Without one, the request
 * is refused before its handler runs.
 */
export function answerRefusal(
  res: ServerResponse,
  decision: Decision,
  context: Omit<RefusalContext, 'dialect'> & { readonly req: GuardedRequest; readonly dialect: Dialect | undefined },
  guarded?: Pick<GuardedResponse, 'refuse'>,
): void {
  const { req, dialect = plainDialect } = context
  const { status, headers, body } = refusalOf(decision, { ...context, dialect })
  // The unread rest of the body must not be read as the next request on this connection.
  const refused = req.complete || req.httpVersionMajor > 1 ? headers : { ...headers, connection: 'close' }
  if (guarded !== undefined) guarded.refuse({ status, headers: refused, body })
  else intercept(res).refuse(status, refused, body)
}

/** Calls back once the response is over, or after so many milliseconds. */
export function whenLeft(res: ServerResponse, graceMs: number, then: () => void): void {
  if (res.destroyed || res.writableFinished) return then()
  const stop = (): void => {
    clearTimeout(timer)
    res.off('finish', stop).off('close', stop)
    then()
  }
  const timer = setTimeout(stop, graceMs)
  res.once('finish', stop).once('close', stop)
}

function chooseHold(controller: ResponseController, context: ReplyContext): Hold | undefined {
  const { res, settings } = context
  const contentType = String(res.getHeader('content-type') ?? '')
  const why = context.skips('output')
  if (why !== undefined) return unjudged(controller, context, why)
  if (hasNoBody(res)) return unjudged(controller, context, 'no-body')
  const type = mediaType(contentType)
  if (context.dialect === generic && isSuccess(res.statusCode) && isMedia(type))
    return unjudged(controller, context, 'binary')
  // Only wholeHold decodes content codings and other charsets.
  const isPlain = codingsOf(res).length === 0 && isUtf8(contentType)
  const mayFlow = settings.streaming !== 'full' && isPlain && res.statusCode !== 206
  const framing = framingOf(context.dialect, (name) => res.hasHeader(name), context.asked?.calls)
  const label = mayFlow ? labelOf(type, framing) : undefined
  // A text of a known length is whole, and an error in the app's own words has nothing to judge.
  const isWhole = label === 'text' && (res.hasHeader('content-length') || !isSuccess(res.statusCode))
  if (label === undefined || isWhole) return wholeHold(controller, context)
  if (label === 'text') return new TextHold(controller, context, framing !== 'data-stream')
  // A block may end the stream early, so the reply cannot keep a promised length.
  if (res.hasHeader('content-length')) res.removeHeader('content-length')
  return eventStreamHold(controller, new Framer(label), context)
}

/** Passes a response that carries no model text. With `parallel` it still waits for the input verdict. */
function unjudged(controller: ResponseController, context: ReplyContext, why: NotJudgedReason): Hold | undefined {
  if (context.gate !== undefined) return gateHold(controller, context, why)
  setVerdictHeaders(context, context.record(context.decide('output', [], why), []))
  return undefined
}

/**
 * True for responses whose body Node leaves out, RFC 9110 sections 9.3.2 and 15. A 205 or a redirect is not among
 * them, because Node sends their body. A HEAD is what the client has sent: a middleware that renames a POST at its
 * client's wish changes `req.method` alone.
 */
function hasNoBody(res: ServerResponse & { _hasBody?: boolean; stream?: { headRequest?: boolean } }): boolean {
  const { statusCode: status } = res
  return res._hasBody === false || res.stream?.headRequest === true || status < 200 || status === 204 || status === 304
}

class TextHold implements Hold {
  readonly #controller: ResponseController
  readonly #context: ReplyContext
  readonly #bare: boolean
  #hold: Hold | undefined

  constructor(controller: ResponseController, context: ReplyContext, bare: boolean) {
    this.#controller = controller
    this.#context = context
    this.#bare = bare
  }

  get full(): boolean {
    return this.#hold?.full === true
  }

  write(chunk: Buffer): void {
    this.#hold ??= eventStreamHold(this.#controller, new Framer('text'), this.#context, this.#bare)
    this.#hold.write(chunk)
  }

  end(chunk: Buffer | undefined): void {
    this.#whole().end(chunk)
  }

  fail(decision: Decision): void {
    this.#whole().fail(decision)
  }

  gone(): void {
    this.#whole().gone()
  }

  #whole(): Hold {
    return (this.#hold ??= wholeHold(this.#controller, this.#context))
  }
}
