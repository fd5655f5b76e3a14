// Intercepts a response between a handler and the client. This folder knows HTTP but not what the bytes mean. A Hold
// decides what leaves, and a ResponseController sends it.
import type { ServerResponse } from 'node:http'
import type { Hold, ReplyClock, ResponseController } from '../context.js'
import { Interception } from './interception.js'

export { asGuard } from './chain.js'

/**
 * Intercepts a response. `choose` is called once, when the handler commits its status and headers or first writes. It
 * returns the hold that keeps the body, or undefined to let the response through unchanged. Leave it out when no
 * handler will run. `clock` is told of the bytes that are held and released.
 */
export function intercept(
  res: ServerResponse,
  choose?: (controller: ResponseController) => Hold | undefined,
  clock?: ReplyClock,
): ResponseController {
  return new Interception(res, choose, clock)
}

/** compression() keeps small writes in zlib until flush() is called. */
export function flush(res: ServerResponse): void {
  ;(res as ServerResponse & { flush?: () => void }).flush?.()
}
