// Recognises a chat request. On a route of its own and in `paths` every request is judged. Elsewhere a request is a
// chat by what stands in its body, and what is none passes untouched.
import { shorthandDialect } from '../dialects/custom.js'
import type { ChatRequest, Dialect } from '../dialects/dialect.js'
import { generic, WHOLE_BODY } from '../dialects/generic.js'
import type { GuardedRequest } from '../types.js'
import { type LlamaGuardError, unreadableRequest } from '../types/errors.js'
import { isObject } from '../utils/json.js'
import { isEmpty, readBody } from './body/index.js'
import { beginsAsChat, type Read, type ReadBody } from './body/parse.js'
import { chatInBody, DialectsInUse, formIsChat, type RecognisedChat, withTexts } from './chat-in-body.js'
import { guardedPath, pathsOf, urlTexts } from './url.js'

export type { RecognisedChat } from './chat-in-body.js'

/** A body that is no known chat, which the handler gets unjudged. */
export interface UnknownBody {
  readonly kind: 'unknown'
  /** `unseen`: another middleware has read the body. `other`: the body was not read. */
  readonly format: Read['format'] | 'unseen'
  readonly value?: unknown
  /** True when the operator is told with a header and a log line, beside the event. */
  readonly announced: boolean
}

/** There is nothing to read: the path is not guarded, or there is no body. */
interface NothingToRead {
  readonly kind: 'nothing'
  readonly why: 'path' | 'no-body'
}

export type Recognised = RecognisedChat | UnknownBody | NothingToRead

interface ConversationReaderOptions {
  /** The paths that are guarded, exact or a prefix ending in `*`. Default: every path. */
  readonly paths?: readonly string[]
  /** The dialects in use, by name or your own. Default: all built-in ones. */
  readonly dialects?: readonly (string | Dialect)[]
  readonly maxBodyBytes: number
  /** Paths of keys to the user's words and the model's words, in bodies of the app's own shape. */
  readonly text?: string | undefined
  readonly reply?: string | undefined
}

export interface ConversationReader {
  /** @throws LlamaGuardError with a 4xx code for a request that is judged and cannot be. */
  recognise(req: GuardedRequest, unknown?: UnknownMode): Promise<Recognised>
  /** The dialect of the path, for a refusal that is written before the body is known. */
  dialectOfPath(req: GuardedRequest): Dialect | undefined
}

/**
 * Methods of a chat without a body. GET opens a stream or reads a stored reply, HEAD asks for its head, DELETE ends a
 * session.
 */
const OPENING = new Set(['GET', 'HEAD', 'DELETE'])

/** @throws LlamaGuardError `invalid_option` for a dialect or path that cannot be used. */
export function createConversationReader({
  paths,
  dialects,
  maxBodyBytes,
  text,
  reply,
}: ConversationReaderOptions): ConversationReader {
  const inUse = new DialectsInUse(dialects, text === undefined ? [] : [shorthandDialect(text, reply)])
  const places = paths?.map(guardedPath)
  return {
    dialectOfPath: (req) => inUse.byPath(pathsOf(req)),
    async recognise(req, unknown) {
      const readings = pathsOf(req)
      const named = places?.filter(({ matches }) => readings.some(matches))
      if (named?.length === 0) return { kind: 'nothing', why: 'path' }
      const onRoute = isOnRoute(req)
      const mode = unknown ?? (named !== undefined || onRoute ? 'judge' : 'warn')
      const everything = mode === 'judge' && (named !== undefined || onRoute)
      const known = inUse.byPath(readings)
      const own = inUse.bodiless(readings, OPENING.has(req.method ?? 'GET') ? req.headers : {})
      const place = onRoute ? 'parameters' : named?.some(({ open }) => open) === true ? 'whole' : 'none'
      // What the url says is judged with the fields that are no conversation, as one text.
      const withUrl = (chat: RecognisedChat): RecognisedChat => {
        const { request } = chat
        return { ...chat, request: withTexts(request, urlTexts(req, place, request.ids)) }
      }

      const read = await readBody(req, { limit: maxBodyBytes, all: mode === 'judge' })
      if (read.kind === 'none') {
        if (own !== undefined) return withUrl(opening(own, undefined))
        return everything ? wordsAlone(req, urlTexts(req, place)) : { kind: 'nothing', why: 'no-body' }
      }
      if (read.kind === 'unseen' && (known !== undefined || everything)) throw unseen()
      const found = read.kind === 'read' ? chatInBody(read, known, inUse) : undefined
      const chat = found === 'unsure' ? undefined : found
      if (chat === undefined && mode === 'refuse') throw refusedAsUnknown()
      const announced = mode === 'warn'
      if (read.kind === 'unread' && own !== undefined)
        return { ...withUrl(opening(own, {})), why: 'unknown-body', announced }
      const broken = known !== undefined && read.kind === 'read' && beginsAsChat(read.value)
      const judged = chat ?? judgedBody(read, own !== undefined || broken ? 'judge' : mode, own, found === 'unsure')
      if (judged === undefined)
        return {
          kind: 'unknown',
          format: read.kind === 'read' ? read.format : read.kind === 'unseen' ? 'unseen' : 'other',
          value: read.kind === 'read' ? read.value : undefined,
          announced,
        }
      if (read.kind === 'read' && read.parsed === true && isEmpty(req.body)) req.body = read.value
      return withUrl(read.kind === 'read' && read.exact !== undefined ? { ...judged, exact: read.exact } : judged)
    },
  }
}

/** A body of no known API as a chat. Undefined where it is not judged. */
function judgedBody(
  read: ReadBody,
  mode: UnknownMode,
  own: Dialect | undefined,
  unsure: boolean,
): RecognisedChat | undefined {
  if (read.kind !== 'read') return undefined
  if (mode !== 'judge' && !unsure && !(read.format === 'form' && formIsChat(read.value))) return undefined
  if (read.fault !== undefined) throw read.fault
  const judged = judgedAsUnknown(read.value)
  if (own !== undefined) return { ...judged, dialect: own, request: { ...judged.request, stream: true } }
  return mode === 'judge' || !unsure ? judged : { ...judged, request: { ...judged.request, images: 'ignore' } }
}

/** A request without words, whose reply is judged. */
function opening(dialect: Dialect, body: RecognisedChat['body']): RecognisedChat {
  const request: ChatRequest = { system: '', turns: [], userTurns: [], extras: [], stream: true }
  return { kind: 'chat', dialect, body, request }
}

/** A request without a body. Its words, if any, stand in the url. */
function wordsAlone(req: GuardedRequest, words: readonly string[]): Recognised {
  // A browser asks with OPTIONS whether it may send a request (CORS). Such a request has no words.
  if (req.method === 'OPTIONS' && words.length === 0) return { kind: 'nothing', why: 'no-body' }
  return { ...judgedAsUnknown(words), body: undefined }
}

function unseen(): LlamaGuardError {
  return unreadableRequest(
    'The body was consumed before the guard and stands neither on req.body nor on req.rawBody, so it cannot be ' +
      'judged; mount the guard before whatever reads it.',
  )
}

/** The option `unknown`. */
type UnknownMode = 'judge' | 'warn' | 'pass' | 'refuse'

/** True when the guard was mounted on a method and a path. Express sets `route` then. */
export function isOnRoute(req: GuardedRequest & { readonly route?: unknown }): boolean {
  return req.route !== undefined
}

/** The body as a chat in which a user says all words. */
function judgedAsUnknown(value: unknown): RecognisedChat {
  const readable = isObject(value) ? value : { [WHOLE_BODY]: value }
  return { kind: 'chat', dialect: generic, body: value as Record<string, unknown>, request: generic.request(readable) }
}

function refusedAsUnknown(): LlamaGuardError {
  return unreadableRequest(
    'The body is no chat that this guard knows, and the option `unknown` is "refuse". Name its text with the option ' +
      '`dialects` ({ in }, or customDialect()), or set `unknown` to "judge".',
  )
}
