// Recognises the chat in a body that has been read. It may stand at the top of the body or inside.
import type { Dialect } from '../dialects/dialect.js'
import { LlamaGuardError, toLlamaGuardError } from '../errors.js'
import type { GuardedRequest } from '../types.js'
import { isObject } from '../utils/json.js'
import { isJsonType, unsupported } from './body/media-type.js'
import { type FormBody, invalidJson, type JsonBody, type ReadBody, valueBody } from './body/parse.js'
import type { DialectsInUse } from './choose-dialect.js'
import { formHoldsChat, namesSpellChat, uploadHoldsChat } from './form-chat.js'
import { nestedChat } from './nested-chat.js'
import { NO_BODY, type NothingToRead, type RecognisedChat, type StrangeBody } from './recognised.js'
import { formFields, isOnRoute } from './unknown.js'

type Read = RecognisedChat | StrangeBody | NothingToRead

/** What is known of a request before its body. */
interface Context {
  /** The dialect of the path. */
  readonly known: Dialect | undefined
  readonly inUse: DialectsInUse
}

/** @throws LlamaGuardError with a 4xx code for a body that must be a chat and cannot be read as one. */
export function fromBody(req: GuardedRequest, read: ReadBody, context: Context): Read {
  if (read.kind === 'json') return fromJson(read, context)
  const type = req.headers['content-type']
  const must = context.inUse.mustBe(context.known)
  switch (read.kind) {
    case 'none':
      if (context.known !== undefined) throw unreadable('The request has no body')
      return NO_BODY
    case 'unseen':
      if (context.known !== undefined || (isOnRoute(req) && (type === undefined || isJsonType(type))))
        throw unreadable(
          'The body was consumed before the guard and stands neither on req.body nor on req.rawBody, so it cannot ' +
            'be judged',
        )
      return { kind: 'unknown', format: 'unseen' }
    case 'lines':
      if (must || nestedChat(read.value) !== undefined) throw invalidJson()
      return {
        kind: 'unknown',
        format: 'lines',
        value: read.value,
        repeats: read.duplicates.size > 0,
      }
    case 'form':
    case 'multipart':
      if (read.kind === 'form' ? formHoldsChat(read.text) : uploadHoldsChat(read.text, type))
        throw unsupported('A chat came as a form; send JSON')
      if (read.left !== undefined) return withLeft(read, read.left, context)
      if (must) throw notJson(type)
      return { kind: 'unknown', format: read.kind, value: read.text }
    case 'text':
      if (must) throw notJson(type)
      return { kind: 'unknown', format: 'text', value: read.text }
    case 'other':
      if (read.left !== undefined) return withLeft(read, read.left, context)
      if (must) throw notJson(type)
      return { kind: 'unknown', format: 'other' }
  }
}

/**
 * A middleware set `req.body`, and the body itself is no JSON. The handler may read either, so both must be judged.
 * @throws LlamaGuardError `unsupported_media_type` for a chat beside an upload or data, whose words cannot be read.
 */
function withLeft(read: FormBody | { readonly kind: 'other' }, left: unknown, context: Context): Read {
  if (read.kind === 'form') return fromJson(valueBody([left, formFields(read.text)]), context)
  const recognised = fromJson(valueBody(left), context)
  if (recognised.kind === 'chat') throw unsupported('A chat came beside a body that is neither JSON nor a form')
  return { kind: 'unknown', format: read.kind }
}

/** The body with its files, under a name that says nothing. */
function withFiles(body: Record<string, unknown>, files: JsonBody['files']): Record<string, unknown> {
  return files === undefined ? body : { ...body, '': [body[''], files] }
}

function fromJson({ value, duplicates, everyKey, files }: JsonBody, { known, inUse }: Context): Read {
  if (isObject(value)) {
    const dialect = inUse.choose(known, value)
    if (dialect !== undefined && (dialect.claims(value) || inUse.isOwn(dialect)))
      return chatOf(dialect, value, withFiles(value, files), duplicates)
    if (hidesMessages(value)) throw unreadable('The body is no chat request this guard can read')
  }
  const batch = Array.isArray(value) ? inUse.ofBatch(value) : undefined
  if (batch !== undefined) {
    const list = value as Record<string, unknown>
    return chatOf(batch, list, list, duplicates)
  }
  const nested = nestedChat(value)
  const dialect = nested && inUse.choose(known, nested)
  if (nested !== undefined && dialect?.claims(nested) === true)
    // The handler gets the body as it came, even when it is a list or a text.
    return chatOf(dialect, value as Record<string, unknown>, withFiles(nested, files), duplicates)
  if (inUse.mustBe(known, value) || duplicates.has('messages') || nestedChat(everyKey) !== undefined)
    throw unreadable('The body is no chat request this guard can read')
  const whole = isObject(value) ? withFiles(value, files) : value
  return { kind: 'unknown', format: 'json', value: whole, repeats: duplicates.size > 0 }
}

/** `readable` is the body in the form that the dialect reads. */
function chatOf(
  dialect: Dialect,
  body: Record<string, unknown>,
  readable: Record<string, unknown>,
  duplicates: ReadonlySet<string>,
): RecognisedChat {
  if (duplicates.size > 0) throw unreadable('The body names a key twice in one object, which parsers read differently')
  try {
    return { kind: 'chat', dialect, body, request: dialect.request(readable) }
  } catch (error) {
    throw toClientError(error)
  }
}

/** A custom dialect may throw anything. A body that it cannot read is the client's fault. */
function toClientError(error: unknown): LlamaGuardError {
  const ours = toLlamaGuardError(error)
  return ours.code === 'internal_error'
    ? new LlamaGuardError('unreadable_request', 'The dialect could not read the body.', { cause: error })
    : ours
}

function notJson(type: string | undefined): LlamaGuardError {
  return type === undefined || isJsonType(type)
    ? invalidJson()
    : unsupported('A chat request is not JSON; send JSON with content-type application/json')
}

/**
 * True when a handler would find `messages` that this package does not read: in a prototype key, as text that is
 * nearly JSON, as an object (form parsers make one of a long list), or in names that only a form parser splits.
 */
function hidesMessages(body: Record<string, unknown>): boolean {
  const proto = Object.getOwnPropertyDescriptor(body, '__proto__')?.value as unknown
  if (isObject(proto) && 'messages' in proto) return true
  const { messages } = body
  if (typeof messages === 'string' && /^\s*[[{]/.test(messages)) return nestedChat(messages) === undefined
  if (namesSpellChat(Object.keys(body).filter((key) => /[[.]/.test(key)))) return true
  return (
    isObject(messages) &&
    Object.entries(messages).some(
      ([key, value]) => /^\d+$/.test(key) || (isObject(value) && ('role' in value || 'content' in value)),
    )
  )
}

/** A body that is the client's fault. */
export function unreadable(what: string): LlamaGuardError {
  return new LlamaGuardError('unreadable_request', `${what}; send what the API's reference describes.`)
}
