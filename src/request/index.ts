// Recognises a chat request, by its path first and then by its body, in which the chat may stand at the top or
// inside. On the path of a dialect, a body that cannot be read is an error and never "not a chat".
import type { ChatRequest, Dialect } from '../dialects/dialect.js'
import type { GuardedRequest } from '../types.js'
import { isObject } from '../utils/json.js'
import { hasBody, readBody } from './body/index.js'
import { dialectsInUse } from './choose-dialect.js'
import { guardedPlace, pathReadings, queryOf, queryWords } from './paths.js'
import { pathTexts, queryTexts } from './query.js'
import { fromBody, unreadable } from './recognise-body.js'
import { NO_BODY, type NothingToRead, type Recognised, type RecognisedChat, type StrangeBody } from './recognised.js'
import { shorthandDialect } from './shorthand.js'
import { isOnRoute, judgedAsUnknown, refusedAsUnknown, unknownMode, type UnknownMode } from './unknown.js'

export type { Recognised, RecognisedChat, UnknownBody } from './recognised.js'

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

export interface ConversationReader {
  /** @throws LlamaGuardError with a 4xx code for a request that must be a chat and cannot be read as one. */
  recognise(req: GuardedRequest, unknown?: UnknownMode): Promise<Recognised>
  /** The dialect of the path, for a refusal that is written before the body is known. */
  dialectOfPath(req: GuardedRequest): Dialect | undefined
}

const NOT_GUARDED: NothingToRead = { kind: 'nothing', why: 'path' }
/** Methods that open a stream, read what is kept, and end a session. */
const OPENING = new Set(['GET', 'HEAD', 'DELETE'])
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
      // A request of HTTP/2 may turn out to have no body only when it has been read.
      const own = inUse.bodiless(readings) ?? (OPENING.has(req.method ?? 'GET') ? inUse.opened(req.headers) : undefined)
      // Of any method: a handler may answer OPTIONS like GET, and a client chooses the method.
      if (bodiless && empty && own !== undefined) return withQuery(opening(own), req)
      if (bodiless && empty && (named === undefined || isPreflight(req))) {
        const asks = mode === 'judge' && (isOnRoute(req) || named !== undefined)
        const says = req.method !== 'OPTIONS' || queryTexts(req).length + pathTexts(req).length > 0
        return asks && says ? judgedAsUnknown(noBody(req, queryOf(req))) : NO_BODY
      }
      if (bodiless && named !== undefined) {
        if (!empty) throw unreadable('A guarded path was asked with a body by a method that has none')
        return judgedAsUnknown(noBody(req, queryWords(req, named)))
      }
      const read = await readBody(req, { limit: maxBodyBytes, wantsText: mode === 'judge' })
      // Where chats are sent too, only a method that sends none may have no body.
      const opens = known === undefined || bodiless || known.claims({})
      if (read.kind === 'none' && own !== undefined && opens) return withQuery(opening(own), req)
      if (read.kind === 'none' && known === undefined) {
        if (named !== undefined) return judgedAsUnknown(noBody(req, queryWords(req, named)))
        return mode === 'judge' && isOnRoute(req) ? judgedAsUnknown(noBody(req, queryOf(req))) : NO_BODY
      }
      const recognised = fromBody(req, read, { known, inUse })
      if (recognised.kind === 'unknown' && own !== undefined && mode !== 'refuse')
        return withQuery(openingWith(own, recognised), req)
      return withQuery(recognised.kind === 'unknown' ? treatUnknown(recognised, mode) : recognised, req)
    },
  }
}

/** A request without words, whose reply is judged. */
function opening(dialect: Dialect): RecognisedChat {
  const request: ChatRequest = { system: '', turns: [], userTurns: [], extras: [], stream: true }
  return { kind: 'chat', dialect, body: {}, request }
}

/** Such a request with a body that its API does not ask for. Its words are judged, as a handler may read them. */
function openingWith(dialect: Dialect, body: StrangeBody): RecognisedChat {
  const { request, ...read } = judgedAsUnknown(body)
  return { ...read, dialect, request: { ...request, stream: true } }
}

/** A request without a body. Its words, if any, stand in the url. */
function noBody(req: GuardedRequest, query: Record<string, string[]>): StrangeBody {
  const path = pathTexts(req)
  const value = path.length === 0 ? query : { ...query, '': [...(query[''] ?? []), ...path] }
  return { kind: 'unknown', format: 'json', value }
}

function treatUnknown(body: StrangeBody, mode: UnknownMode): Recognised {
  if (mode === 'judge') return judgedAsUnknown(body)
  if (mode === 'refuse') throw refusedAsUnknown()
  return { ...body, announced: mode === 'warn' }
}

/** What the query and the path's parameters say is judged with the fields that are no conversation, as one text. */
function withQuery(recognised: Recognised, req: GuardedRequest): Recognised {
  if (recognised.kind !== 'chat') return recognised
  const words = [...queryTexts(req), ...pathTexts(req)]
  if (words.length === 0) return recognised
  const { request } = recognised
  return { ...recognised, request: { ...request, extras: [[...request.extras, ...words].join('\n')] } }
}

/** True for the preflight request of a browser. It has no body, and no words except in its URL. */
function isPreflight({ method, url = '', headers }: GuardedRequest): boolean {
  return method === 'OPTIONS' && (!url.includes('?') || headers['access-control-request-method'] !== undefined)
}

/** True for the value that parsers leave on `req.body` when there was nothing to parse. */
function isEmpty(body: unknown): boolean {
  return body === undefined || body === null || (isObject(body) && Object.keys(body).length === 0)
}
