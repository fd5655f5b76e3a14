// Gets between a handler and its response. It knows HTTP, not what the bytes mean; whoever holds decides, see
// Hold and ResponseController.
import type { ServerResponse } from 'node:http'
import type { Hold, ResponseController } from '../hold.js'
import { Interception } from './interception.js'

export { flush } from './interception.js'
export { asGuard } from './methods.js'

/**
 * Patches a response. `choose` is called once, when the handler commits its status and headers (or first
 * writes), and says who holds the body; undefined lets the response through untouched. Leave it out when no
 * handler will ever run.
 */
export function intercept(
  res: ServerResponse,
  choose?: (controller: ResponseController) => Hold | undefined,
): ResponseController {
  return new Interception(res, choose)
}
