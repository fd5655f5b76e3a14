// Gets the body of a request as a value: what a parser left on the request, else our own bounded read.
// The handler must get what was judged, so a body we read ourselves is set on `req.body` and stays readable
// on the stream.
import type { GuardedRequest } from '../../types.js'
import { isObject } from '../../utils/json.js'
import { inflated } from './inflate.js'
import { refuseCharset } from './media-type.js'
import { type JsonBody, NO_BODY, parseBody, type ReadBody, valueBody } from './parse.js'
import { readStream } from './read-stream.js'

export interface BodyOptions {
  /** The most bytes of a body, raw and inflated. */
  readonly limit: number
  /** Read plain text to its end, because every word of the request is wanted. */
  readonly wantsText?: boolean
}

/** Throws `LlamaGuardError` with a 4xx code for a body that cannot be read the same way by everyone. */
export async function readBody(req: GuardedRequest, { limit, wantsText = false }: BodyOptions): Promise<ReadBody> {
  const left = leftBody(req, limit, wantsText)
  const unread = !req.readableDidRead && !req.readableEnded && hasBody(req)
  if (!unread) return left ?? (req.readableDidRead ? { kind: 'unseen' } : NO_BODY)
  const read = await readStream(req, limit, wantsText)
  if (left?.kind === 'json' && !isEmptyObject(left.value)) return withLeft(read, left)
  if (read.kind === 'json') req.body = read.value
  return read
}

/** A body that was set before the stream was read did not come from the stream: a handler may look at either. */
function withLeft(read: ReadBody, left: JsonBody): ReadBody {
  if (read.kind === 'json') return { ...read, value: [left.value, read.value] }
  if (read.kind === 'lines') return valueBody([left.value, read.value])
  return read.kind === 'form' || read.kind === 'multipart' ? { ...read, left: left.value } : left
}

/** True when the headers announce a body. HTTP/2 needs no header for one. */
export function hasBody({ httpVersionMajor, headers, readableEnded }: GuardedRequest): boolean {
  if (httpVersionMajor >= 2) return !readableEnded
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0)
}

/** What a parser before us has left on `req.body` or, where that holds nothing, on `req.rawBody`. */
function leftBody(
  req: GuardedRequest & { readonly rawBody?: unknown },
  limit: number,
  wantsText: boolean,
): ReadBody | undefined {
  const { body, rawBody } = req
  const raw = isText(rawBody) && rawBody.length > 0 ? rawBody : undefined
  // Express 4 parsers leave {} behind for a content type they do not read.
  const left = raw !== undefined && (body === null || isEmptyObject(body)) ? raw : (body ?? raw)
  if (left === undefined) return undefined
  if (isText(left)) return parseText(req, left, limit, wantsText)
  if (left instanceof URLSearchParams) return { kind: 'form', text: left.toString() }
  return raw === undefined ? valueBody(left) : { ...duplicatesOf(req, raw, limit), value: left }
}

function parseText({ headers }: GuardedRequest, text: string | Uint8Array, limit: number, wantsText = false): ReadBody {
  const type = headers['content-type']
  // Text has been decoded by its charset; bytes have not.
  if (typeof text === 'string') return parseBody(Buffer.from(text), type?.split(';', 1)[0], wantsText)
  refuseCharset(type, false)
  return parseBody(inflated(text, headers['content-encoding'], limit), type, wantsText)
}

/** Keys that the text of a parsed body names twice. A text that is something else says nothing about it. */
function duplicatesOf(req: GuardedRequest, text: string | Uint8Array, limit: number): JsonBody {
  try {
    const read = parseText(req, text, limit)
    if (read.kind === 'json') return read
  } catch {
    // The value is what the handler gets, and has been parsed.
  }
  return valueBody(undefined)
}

function isText(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array
}

function isEmptyObject(value: unknown): boolean {
  return value === undefined || (isObject(value) && Object.keys(value).length === 0)
}
