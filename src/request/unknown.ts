// The option `unknown`: what happens to a body that is no known chat.
import { generic, WHOLE_BODY } from '../dialects/generic.js'
import { LlamaGuardError, toLlamaGuardError } from '../errors.js'
import type { GuardedRequest } from '../types.js'
import { isObject } from '../utils/json.js'
import type { RecognisedChat, StrangeBody } from './recognised.js'

/** The option `unknown`. */
export type UnknownMode = 'judge' | 'warn' | 'pass' | 'refuse'

/**
 * The mode of this request. A guard that is mounted on one route, or whose `paths` name the path, expects chats
 * there. Elsewhere many requests are no chat.
 */
export function unknownMode(wanted: UnknownMode | undefined, req: GuardedRequest, named: boolean): UnknownMode {
  return wanted ?? (named || isOnRoute(req) ? 'judge' : 'warn')
}

/** True when the guard was mounted on a method and a path. Express sets `route` then. */
export function isOnRoute(req: GuardedRequest & { readonly route?: unknown }): boolean {
  return req.route !== undefined
}

/**
 * The body as a chat in which a user says all words.
 * @throws LlamaGuardError with a 4xx code for a body whose words cannot be read.
 */
export function judgedAsUnknown({ format, value, repeats = false }: StrangeBody): RecognisedChat {
  if (repeats)
    throw new LlamaGuardError(
      'unreadable_request',
      'The body names a key twice in one object, which parsers read differently; send each key once.',
    )
  if (format === 'multipart' || format === 'other' || format === 'unseen')
    throw new LlamaGuardError(
      'unsupported_media_type',
      'The body is neither JSON nor a form nor text, so its words cannot be judged; send JSON, or set the option ' +
        '`unknown` to "warn" to let such bodies through.',
    )
  const fields = format === 'form' ? formFields(String(value)) : value
  const readable = isObject(fields) ? fields : { [WHOLE_BODY]: fields }
  try {
    return {
      kind: 'chat',
      dialect: generic,
      body: value as Record<string, unknown>,
      request: generic.request(readable),
    }
  } catch (error) {
    throw toLlamaGuardError(error)
  }
}

export function refusedAsUnknown(): LlamaGuardError {
  return new LlamaGuardError(
    'unreadable_request',
    'The body is no chat that this guard knows, and the option `unknown` is "refuse". Name its text with the option ' +
      '`text` or customDialect(), or set `unknown` to "judge".',
  )
}

/** All values of each field, so that a field that is named twice has both. */
export function formFields(form: string): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [name, text] of new URLSearchParams(form)) {
    const known = fields[name]
    fields[name] = known === undefined ? text : [...(Array.isArray(known) ? (known as unknown[]) : [known]), text]
  }
  return fields
}
