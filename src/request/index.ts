// Recognises a chat request: by its path first, then by its body. Everything else passes with one look.
// On a known path nothing passes unread: what cannot be read there is an error, never "not a chat".
import type { ChatRequest, Dialect } from '../dialects/dialect.js'
import { LlamaGuardError, toLlamaGuardError } from '../errors.js'
import type { GuardedRequest } from '../types.js'
import { isObject } from '../utils/json.js'
import { hasBody, readBody } from './body/index.js'
import { isFormType, isJsonType, type ReadBody, unsupported } from './body/parse.js'
import { dialectsInUse, type DialectsInUse } from './choose-dialect.js'
import { pathPattern, type PathPattern, plainPath } from './paths.js'

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

export interface RecognisedChat {
  readonly dialect: Dialect
  /** The body as the handler will see it. */
  readonly body: Record<string, unknown>
  readonly request: ChatRequest
}

export interface ConversationReader {
  /** Undefined when the request is no chat. Throws `LlamaGuardError` with a 4xx code for a chat that cannot be read. */
  recognise(req: GuardedRequest): Promise<RecognisedChat | undefined>
  /** The dialect a refusal should be written in before the body is known: that of the path. */
  dialectOfPath(req: GuardedRequest): Dialect | undefined
}

/** Throws `invalid_option` for a dialect or path that cannot be used. */
export function createConversationReader({
  paths,
  dialects,
  maxBodyBytes,
}: ConversationReaderOptions): ConversationReader {
  const inUse = dialectsInUse(dialects)
  const patterns = paths?.map(pathPattern)
  return {
    dialectOfPath: (req) => inUse.byPath(pathOf(req)),
    async recognise(req) {
      const path = pathOf(req)
      if (patterns !== undefined && !named(patterns, path)) return undefined
      const known = inUse.byPath(path)
      const must = known !== undefined || patterns !== undefined
      if (needsNoBody(req) && !hasBody(req) && isEmpty(req.body)) return undefined
      const read = await readBody(req, { limit: maxBodyBytes })
      if (read.kind === 'none' && needsNoBody(req)) return undefined
      return fromBody(req, read, known, must, inUse)
    },
  }
}

function fromBody(
  req: GuardedRequest,
  read: ReadBody,
  known: Dialect | undefined,
  must: boolean,
  inUse: DialectsInUse,
): RecognisedChat | undefined {
  if (read.kind === 'notJson') {
    refuseOther(req, read.form, must)
    return undefined
  }
  const body = read.kind === 'value' ? read.value : undefined
  if (!isObject(body)) {
    if (must) throw unreadable('The body of a chat request is not a JSON object')
    return undefined
  }
  const dialect = inUse.choose(known, body)
  const duplicates = read.kind === 'value' ? read.duplicates : new Set<string>()
  if (dialect === undefined) {
    if (must || duplicates.has('messages') || hidesMessages(body))
      throw unreadable('The body is no chat request this guard can read')
    return undefined
  }
  if (duplicates.size > 0) throw unreadable('The body names a key twice in one object, which parsers read differently')
  try {
    return { dialect, body, request: dialect.request(body) }
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

/** A form or an upload: no chat, unless it stands where one is due or carries `messages`. */
function refuseOther(req: GuardedRequest, form: string | undefined, must: boolean): void {
  const type = req.headers['content-type']
  if (form !== undefined && formHasMessages(form)) throw unsupported('A chat came as a form; send JSON')
  if (!must) return
  if (isJsonType(type) || (type === undefined && !isFormType(type)))
    throw new LlamaGuardError('invalid_json', 'The body is not JSON; send one JSON object.')
  throw unsupported('A chat request is not JSON; send JSON with content-type application/json')
}

function formHasMessages(form: string): boolean {
  for (const key of new URLSearchParams(form).keys()) if (/^\s*messages\s*(?:\[|\.|$)/.test(key)) return true
  return false
}

/**
 * `messages` where a handler would find it and we would not: in a prototype key, as JSON text in a form
 * field, or as an object, which form parsers make of long lists.
 */
function hidesMessages(body: Record<string, unknown>): boolean {
  const proto = Object.getOwnPropertyDescriptor(body, '__proto__')?.value as unknown
  if (isObject(proto) && 'messages' in proto) return true
  const { messages } = body
  if (typeof messages === 'string') return /^\s*[[{]/.test(messages)
  return (
    isObject(messages) &&
    Object.entries(messages).some(
      ([key, value]) => /^\d+$/.test(key) || (isObject(value) && ('role' in value || 'content' in value)),
    )
  )
}

function needsNoBody({ method = 'GET' }: GuardedRequest): boolean {
  return ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'TRACE'].includes(method)
}

/** What parsers leave on `req.body` when there was nothing to parse. */
function isEmpty(body: unknown): boolean {
  return body === undefined || body === null || (isObject(body) && Object.keys(body).length === 0)
}

function pathOf(req: GuardedRequest): string {
  return plainPath(req.originalUrl ?? req.url ?? '/')
}

function named(patterns: readonly PathPattern[], path: string): boolean {
  return patterns.some((matches) => matches(path))
}

function unreadable(what: string): LlamaGuardError {
  return new LlamaGuardError('unreadable_request', `${what}; send what the API's reference describes.`)
}
