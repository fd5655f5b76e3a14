// The option `unknown`: what happens to a body that is no known chat.
import { generic, WHOLE_BODY } from '../dialects/generic.js'
import { LlamaGuardError } from '../errors.js'
import type { GuardedRequest } from '../types.js'
import { isObject } from '../utils/json.js'
import type { RecognisedChat } from './recognised.js'

/** The option `unknown`. */
export type UnknownMode = 'judge' | 'warn' | 'pass' | 'refuse'

/** True when the guard was mounted on a method and a path. Express sets `route` then. */
export function isOnRoute(req: GuardedRequest & { readonly route?: unknown }): boolean {
  return req.route !== undefined
}

/** The body as a chat in which a user says all words. */
export function judgedAsUnknown(value: unknown): RecognisedChat {
  const readable = isObject(value) ? value : { [WHOLE_BODY]: value }
  return {
    kind: 'chat',
    dialect: generic,
    body: value as Record<string, unknown>,
    request: generic.request(readable),
  }
}

export function refusedAsUnknown(): LlamaGuardError {
  return new LlamaGuardError(
    'unreadable_request',
    'The body is no chat that this guard knows, and the option `unknown` is "refuse". Name its text with the option ' +
      '`text` or customDialect(), or set `unknown` to "judge".',
  )
}
