// Recognises a chat request, by its path first and then by its body, in which the chat may stand at the top or
// inside. On the path of a dialect, a body that cannot be read is an error and never "not a chat".
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
import { guardedPlace, pathReadings, queryOf, queryWords } from './paths.js'
import { queryTexts } from './query.js'
import { shorthandDialect } from './shorthand.js'
import { isOnRoute, judgedAsUnknown, refusedAsUnknown, unknownMode, type UnknownMode } from './unknown.js'

export interface ConversationReaderOptions {
  /** The paths that are guarded, exact or a prefix ending in `*`. Default: every path. */
  readonly paths?: readonly string[]
  /**
   * The dialects in use, by name or your own. Default: all built-in ones; bodies with `prompt` or `input` count only
   * on those dialects' own paths.
   */
  readonly dialects?: readonly (string | Dialect)[]
  readonly maxBodyBytes: number
  /** Paths of keys to the user's words and the model's words, in bodies of the app's own shape. */
  readonly text?: string | undefined
  readonly reply?: string | undefined
}

/** A chat, and the dialect that reads it. */
export interface RecognisedChat {
  readonly kind: 'chat'
  readonly dialect: Dialect
  /** The body as the handler will see it. It is a list or a text when the whole body is one. */
  readonly body: Record<string, unknown>
  readonly request: ChatRequest
}

/** A body that is no known chat. The handler gets it unjudged. */
export interface UnknownBody {
  readonly kind: 'unknown'
  /**
   * `unseen`: another middleware has read the body. `other`: the body is neither JSON nor a form, and was not read to
   * its end.
   */
  readonly format: 'json' | 'lines' | 'form' | 'text' | 'multipart' | 'other' | 'unseen'
  /** The parsed body (`json`, `lines`), its text (`form`, `text`) or its beginning (`multipart`). */
  readonly value?: unknown
  /** True when the operator is told with a header and a log line, beside the event. */
  readonly announced: boolean
}

/** There is nothing to read: the path is not guarded, or there is no body. */
export interface NothingToRead {
  readonly kind: 'nothing'
  readonly why: 'path' | 'no-body'
}

export type Recognised = RecognisedChat | UnknownBody | NothingToRead

export interface ConversationReader {
  /** @throws LlamaGuardError with a 4xx code for a request that must be a chat and cannot be read as one. */
  recognise(req: GuardedRequest, unknown?: UnknownMode): Promise<Recognised>
  /** The dialect of the path, for a refusal that is written before the body is known. */
  dialectOfPath(req: GuardedRequest): Dialect | undefined
}

const NO_BODY: NothingToRead = { kind: 'nothing', why: 'no-body' }
const NOT_GUARDED: NothingToRead = { kind: 'nothing', why: 'path' }
const BODILESS = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE', 'TRACE'])

/** @throws LlamaGuardError `invalid_option` for a dialect or path that cannot be used. */
export function createConversationReader({
  paths,
  dialects,
  maxBodyBytes,
  text,
  reply,
}: ConversationReaderOptions): ConversationReader {
  const inUse = dialectsInUse(dialects, text === undefined ? [] : [shorthandDialect(text, reply)])
  const places = paths?.map(guardedPlace)
  return {
    dialectOfPath: (req) => inUse.byPath(pathReadings(req)),
    async recognise(req, unknown) {
      const readings = pathReadings(req)
      const named = places?.filter(({ matches }) => readings.some(matches))
      if (named?.length === 0) return NOT_GUARDED
      const known = inUse.byPath(readings)
      const mode = unknownMode(unknown, req, named !== undefined)
      const bodiless = BODILESS.has(req.method ?? 'GET')
      const empty = !hasBody(req) && isEmpty(req.body)
      if (bodiless && empty && (named === undefined || isPreflight(req))) {
        const asks = mode === 'judge' && req.method === 'GET' && isOnRoute(req)
        return asks ? judgedAsUnknown(noBody(queryOf(req))) : NO_BODY
      }
      if (bodiless && named !== undefined) {
        if (!empty) throw unreadable('A guarded path was asked with a body by a method that has none')
        return judgedAsUnknown(noBody(queryWords(req, named)))
      }
      const read = await readBody(req, { limit: maxBodyBytes, wantsText: mode === 'judge' })
      if (read.kind === 'none' && known === undefined) {
        if (named !== undefined) return judgedAsUnknown(noBody(queryWords(req, named)))
        return mode === 'judge' && isOnRoute(req) ? judgedAsUnknown(noBody(queryOf(req))) : NO_BODY
      }
      const recognised = fromBody(req, read, { known, must: known !== undefined, inUse })
      return withQuery(recognised.kind === 'unknown' ? treatUnknown(recognised, mode) : recognised, req)
    },
  }
}

/** A request without a body. Its words, if any, stand in the query. */
function noBody(query: Record<string, unknown>): UnknownBody {
  return { kind: 'unknown', format: 'json', value: query, announced: false }
}

function treatUnknown(body: UnknownBody, mode: UnknownMode): Recognised {
  if (mode === 'judge') return judgedAsUnknown(body)
  if (mode === 'refuse') throw refusedAsUnknown()
  return { ...body, announced: mode === 'warn' }
}

/** What the url says beside the path is judged with the fields that are no conversation, as one text. */
function withQuery(recognised: Recognised, req: GuardedRequest): Recognised {
  if (recognised.kind !== 'chat') return recognised
  const words = queryTexts(req)
  if (words.length === 0) return recognised
  const { request } = recognised
  return { ...recognised, request: { ...request, extras: [[...request.extras, ...words].join('\n')] } }
}

interface Context {
  /** The dialect of the path. */
  readonly known: Dialect | undefined
  /** True on the path of a dialect, where every body must be a chat. */
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
      return { kind: 'unknown', format: 'unseen', announced: false }
    case 'lines':
      if (context.must || nestedChat(read.value) !== undefined) throw invalidJson()
      return { kind: 'unknown', format: 'lines', value: read.value, announced: false }
    case 'form':
    case 'multipart':
      if (read.kind === 'form' ? formHoldsChat(read.text) : uploadHoldsChat(read.text, type))
        throw unsupported('A chat came as a form; send JSON')
      if (read.left !== undefined) return fromJson(valueBody(read.left), context)
      if (context.must) throw notJson(type)
      return { kind: 'unknown', format: read.kind, value: read.text, announced: false }
    case 'text':
      if (context.must) throw notJson(type)
      return { kind: 'unknown', format: 'text', value: read.text, announced: false }
    case 'other':
      if (context.must) throw notJson(type)
      return { kind: 'unknown', format: 'other', announced: false }
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
    // The handler gets the body as it came, even when it is a list or a text.
    return chatOf(dialect, value as Record<string, unknown>, nested, duplicates)
  if (must || duplicates.has('messages') || (duplicates.size > 0 && nestedChat(everyKey) !== undefined))
    throw unreadable('The body is no chat request this guard can read')
  return { kind: 'unknown', format: 'json', value, announced: false }
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

/** True for the preflight request of a browser. It has no body, and no words except in its URL. */
function isPreflight({ method, url = '', headers }: GuardedRequest): boolean {
  return method === 'OPTIONS' && (!url.includes('?') || headers['access-control-request-method'] !== undefined)
}

/** True for the value that parsers leave on `req.body` when there was nothing to parse. */
function isEmpty(body: unknown): boolean {
  return body === undefined || body === null || (isObject(body) && Object.keys(body).length === 0)
}

function unreadable(what: string): LlamaGuardError {
  return new LlamaGuardError('unreadable_request', `${what}; send what the API's reference describes.`)
}
