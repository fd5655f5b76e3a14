// Recognises a chat request: by its path first, then by its body, where a chat may stand at the top or inside.
// On a known path nothing passes unread: what cannot be read there is an error, never "not a chat".
import type { ChatRequest, Dialect } from '../dialects/dialect.js'
import { LlamaGuardError, toLlamaGuardError } from '../errors.js'
import type { GuardedRequest } from '../types.js'
import { isObject } from '../utils/json.js'
import { hasBody, readBody } from './body/index.js'
import { isJsonType, unsupported } from './body/media-type.js'
import { invalidJson, type JsonBody, type ReadBody, valueBody } from './body/parse.js'
import { dialectsInUse, type DialectsInUse } from './choose-dialect.js'
import { formHoldsChat, namesSpellChat, uploadHoldsChat } from './form-chat.js'
import { nestedChat } from './nested-chat.js'
import { pathPattern, pathReadings } from './paths.js'

export interface ConversationReaderOptions {
  /** Guard these paths (exact, or a prefix ending in `*`) and no other. Default: every path. */
  readonly paths?: readonly string[]
  /**
   * Dialects in use, by name or your own. Default: all built-in ones, `prompt` and `input` bodies only on
   * their own paths.
   */
  readonly dialects?: readonly (string | Dialect)[]
  readonly maxBodyBytes: number
}

/** A chat, in a dialect that reads it. */
export interface RecognisedChat {
  readonly kind: 'chat'
  readonly dialect: Dialect
  /** The body as the handler will see it. A list or a text when the whole body is one. */
  readonly body: Record<string, unknown>
  readonly request: ChatRequest
}

/** A body that is no chat we know. The handler gets it unjudged. */
export interface UnknownBody {
  readonly kind: 'unknown'
  /** `unseen`: another middleware has consumed it. `other`: neither JSON nor a form, and not read to its end. */
  readonly format: 'json' | 'lines' | 'form' | 'multipart' | 'other' | 'unseen'
  /** The parsed body (`json`, `lines`), its text (`form`) or the beginning of it (`multipart`). */
  readonly value?: unknown
}

/** Nothing to read: the path is not guarded, or there is no body. */
export interface NothingToRead {
  readonly kind: 'nothing'
  readonly why: 'path' | 'no-body'
}

export type Recognised = RecognisedChat | UnknownBody | NothingToRead

export interface ConversationReader {
  /** Throws `LlamaGuardError` with a 4xx code for what has to be a chat and cannot be read as one. */
  recognise(req: GuardedRequest): Promise<Recognised>
  /** The dialect a refusal should be written in before the body is known: that of the path. */
  dialectOfPath(req: GuardedRequest): Dialect | undefined
}

const NO_BODY: NothingToRead = { kind: 'nothing', why: 'no-body' }
const NOT_GUARDED: NothingToRead = { kind: 'nothing', why: 'path' }
const BODILESS = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE', 'TRACE'])

/** Throws `invalid_option` for a dialect or path that cannot be used. */
export function createConversationReader({
  paths,
  dialects,
  maxBodyBytes,
}: ConversationReaderOptions): ConversationReader {
  const inUse = dialectsInUse(dialects)
  const patterns = paths?.map(pathPattern)
  return {
    dialectOfPath: (req) => inUse.byPath(pathReadings(req)),
    async recognise(req) {
      const readings = pathReadings(req)
      if (patterns?.some((matches) => readings.some(matches)) === false) return NOT_GUARDED
      const known = inUse.byPath(readings)
      const must = known !== undefined || patterns !== undefined
      const bodiless = BODILESS.has(req.method ?? 'GET')
      if (bodiless && !hasBody(req) && isEmpty(req.body)) {
        if (patterns !== undefined && !isPreflight(req))
          throw unreadable('A guarded path was asked with a method that has no body, so its words cannot be judged')
        return NO_BODY
      }
      const read = await readBody(req, { limit: maxBodyBytes })
      if (read.kind === 'none' && bodiless && patterns === undefined) return NO_BODY
      return fromBody(req, read, { known, must, inUse })
    },
  }
}

interface Context {
  /** The dialect of the path. */
  readonly known: Dialect | undefined
  /** On a known or named path nothing passes that is no chat. */
  readonly must: boolean
  readonly inUse: DialectsInUse
}

function fromBody(req: GuardedRequest, read: ReadBody, context: Context): Recognised {
  if (read.kind === 'json') return fromJson(read, context)
  const type = req.headers['content-type']
  switch (read.kind) {
    case 'none':
      if (context.must) throw unreadable('The request has no body')
      return NO_BODY
    case 'unseen':
      if (context.must || (isOnRoute(req) && (type === undefined || isJsonType(type))))
        throw unreadable(
          'The body was consumed before the guard and stands neither on req.body nor on req.rawBody, so it cannot ' +
            'be judged',
        )
      return { kind: 'unknown', format: 'unseen' }
    case 'lines':
      if (context.must || nestedChat(read.value) !== undefined) throw invalidJson()
      return { kind: 'unknown', format: 'lines', value: read.value }
    case 'form':
    case 'multipart':
      if (read.kind === 'form' ? formHoldsChat(read.text) : uploadHoldsChat(read.text, type))
        throw unsupported('A chat came as a form; send JSON')
      if (read.left !== undefined) return fromJson(valueBody(read.left), context)
      if (context.must) throw notJson(type)
      return { kind: 'unknown', format: read.kind, value: read.text }
    case 'other':
      if (context.must) throw notJson(type)
      return { kind: 'unknown', format: 'other' }
  }
}

function fromJson({ value, duplicates, everyKey }: JsonBody, { known, must, inUse }: Context): Recognised {
  if (isObject(value)) {
    const dialect = inUse.choose(known, value)
    if (dialect !== undefined && (dialect.claims(value) || inUse.isOwn(dialect)))
      return chatOf(dialect, value, value, duplicates)
    if (hidesMessages(value)) throw unreadable('The body is no chat request this guard can read')
  }
  const nested = nestedChat(value)
  const dialect = nested && inUse.choose(known, nested)
  if (nested !== undefined && dialect?.claims(nested) === true)
    // The handler gets the body as it came, also one that is a list or a text.
    return chatOf(dialect, value as Record<string, unknown>, nested, duplicates)
  if (must || duplicates.has('messages') || (duplicates.size > 0 && nestedChat(everyKey) !== undefined))
    throw unreadable('The body is no chat request this guard can read')
  return { kind: 'unknown', format: 'json', value }
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

/** Own dialects may throw anything; a body they cannot read is the client's. */
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
 * `messages` where a handler would find it and we would not: in a prototype key, as text that is nearly JSON, as
 * an object, which form parsers make of long lists, or in names that only a form parser takes apart.
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

/** A browser asks for leave before it sends the request itself: no body, and no words but those of the url. */
function isPreflight({ method, url = '', headers }: GuardedRequest): boolean {
  return method === 'OPTIONS' && (!url.includes('?') || headers['access-control-request-method'] !== undefined)
}

/** Express sets `route` when a handler was mounted on a method and a path. */
function isOnRoute(req: GuardedRequest & { readonly route?: unknown }): boolean {
  return req.route !== undefined
}

/** What parsers leave on `req.body` when there was nothing to parse. */
function isEmpty(body: unknown): boolean {
  return body === undefined || body === null || (isObject(body) && Object.keys(body).length === 0)
}

function unreadable(what: string): LlamaGuardError {
  return new LlamaGuardError('unreadable_request', `${what}; send what the API's reference describes.`)
}
