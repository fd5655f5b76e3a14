// The end of a request that gets no reply: its refusal, in the words of its API, and the end of all work for it.
import type { ServerResponse } from 'node:http'
import type { Dialect } from '../dialects/dialect.js'
import type { RequestConfig } from '../options/config.js'
import { type GuardedResponse, plainDialect, refusalOf, refusing, type RefusalContext } from '../response/index.js'
import type { Decision, GuardedRequest } from '../types.js'
import type { LazyAbortController } from '../utils/deadline.js'

/**
 * Milliseconds after which a refusal aborts the work of the model although the client has not read all of it. A slow
 * client must not keep the model running.
 */
const ABORT_GRACE_MS = 1000

/** The request, as far as it has come. */
export interface EndedRequest extends Pick<RefusalContext, 'requestId' | 'input' | 'asked'> {
  readonly req: GuardedRequest
  readonly res: ServerResponse
  readonly settings: RequestConfig
  tellOperator(option: string, error: unknown): void
}

export class Ending {
  readonly #request: EndedRequest
  readonly #controller: LazyAbortController
  #refused = false
  #dialect: Pick<Dialect, 'refusal'> & { readonly name?: string } = plainDialect

  constructor(request: EndedRequest, controller: LazyAbortController) {
    this.#request = request
    this.#controller = controller
  }

  /** True once the work for this request was called off. */
  get refused(): boolean {
    return this.#refused
  }

  /** The API whose refusals the client would read. */
  get dialectName(): string {
    return this.#dialect.name ?? 'unknown'
  }

  /** Whose envelope a refusal comes in, as soon as it can be told: the dialect may be known before the chat is. */
  refuseIn(dialect: Dialect | undefined): void {
    if (dialect !== undefined) this.#dialect = dialect
  }

  /** Answers with a decision that is not `allow`, through the guarded response if there is one. */
  refuse(decision: Decision, guarded: Pick<GuardedResponse, 'refuse'> = refusing(this.#request.res)): undefined {
    const { res, req, requestId, settings, input, asked } = this.#request
    const tellOperator = (option: string, error: unknown): void => this.#request.tellOperator(option, error)
    if (res.destroyed) return undefined
    const refusal = refusalOf(decision, {
      dialect: this.#dialect,
      requestId,
      settings,
      input,
      req,
      asked,
      tellOperator,
    })
    // The unread rest of the body must not be read as the next request on this connection.
    const closing: Record<string, string> = req.complete || req.httpVersionMajor > 1 ? {} : { connection: 'close' }
    guarded.refuse({ ...refusal, headers: { ...refusal.headers, ...closing } })
    // After the answer, because a listener of the signal may end or destroy the response at once.
    this.abort()
    req.resume()
    return undefined
  }

  /**
   * Aborts the handler's work, and every check that nobody else waits for, once the refusal has left. An earlier
   * abort would make the handler's call to the model fail, and Express' error handling breaks the connection when
   * headers are out.
   */
  abort(): void {
    const { res } = this.#request
    this.#refused = true
    if (res.destroyed || res.writableFinished) return this.#controller.abort()
    const stop = (): void => {
      clearTimeout(timer)
      res.off('finish', stop).off('close', stop)
      this.#controller.abort()
    }
    const timer = setTimeout(stop, ABORT_GRACE_MS)
    res.once('finish', stop).once('close', stop)
  }
}
