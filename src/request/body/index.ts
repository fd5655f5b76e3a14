// Gets the body of a request as a value: from a parser that ran before, else by a bounded read. The handler must get
// what was judged, so a body that is read here is set on `req.body` and stays readable on the stream.
import type { GuardedRequest } from '../../types.js'
import { isObject } from '../../utils/json.js'
import { inflated } from './inflate.js'
import { refuseCharset, refuseCharsetOfWords } from './media-type.js'
import { type JsonBody, NO_BODY, parseBody, type ReadBody, valueBody } from './parse.js'
import { readStream } from './read-stream.js'
import { uploads } from './uploads.js'

export interface BodyOptions {
  /** The most bytes of a body, compressed and decompressed. */
  readonly limit: number
  /** True to read plain text to its end, because every word of the request is wanted. */
  readonly wantsText?: boolean
}

/** @throws LlamaGuardError with a 4xx code for a body that parsers may read in different ways. */
export async function readBody(req: GuardedRequest, options: BodyOptions): Promise<ReadBody> {
  const read = await readFields(req, options)
  const files = uploads(req, options.limit)
  if (files.length === 0) return read
  if (read.kind === 'json') return { ...read, files }
  return read.kind === 'none' || read.kind === 'unseen' ? { ...valueBody({}), files } : { kind: 'other' }
}

async function readFields(req: GuardedRequest, { limit, wantsText = false }: BodyOptions): Promise<ReadBody> {
  const left = leftBody(req, limit, wantsText)
  const unread = !req.readableDidRead && !req.readableEnded && hasBody(req)
  if (!unread) return left ?? (req.readableDidRead ? { kind: 'unseen' } : NO_BODY)
  const read = await readStream(req, limit, wantsText)
  if (left?.kind === 'json' && !isEmptyObject(left.value)) return withLeft(read, left)
  if (read.kind === 'json') req.body = read.value
  return read
}

/**
 * A middleware set `req.body` before the stream was read, so the value did not come from the stream. The handler may
 * read either, so both are judged.
 */
function withLeft(read: ReadBody, left: JsonBody): ReadBody {
  if (read.kind === 'json') return { ...read, value: [left.value, read.value] }
  if (read.kind === 'lines') return { ...valueBody([left.value, read.value]), duplicates: read.duplicates }
  if (read.kind === 'text') return valueBody([left.value, read.text])
  return read.kind === 'form' || read.kind === 'multipart' || read.kind === 'other'
    ? { ...read, left: left.value }
    : left
}

/** A request of HTTP/2. `endAfterHeaders` is true when the client has ended it with its head. */
type Http2Request = GuardedRequest & { readonly stream?: { readonly endAfterHeaders?: boolean } }

/** True when the headers announce a body. HTTP/2 can send a body without such a header. */
export function hasBody({ httpVersionMajor, headers, readableEnded, stream }: Http2Request): boolean {
  if (httpVersionMajor >= 2) return !readableEnded && stream?.endAfterHeaders !== true
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0)
}

/** The body that a parser has left on `req.body` or, when that is empty, on `req.rawBody`. */
function leftBody(
  req: GuardedRequest & { readonly rawBody?: unknown },
  limit: number,
  wantsText: boolean,
): ReadBody | undefined {
  const { body, rawBody } = req
  const raw = isText(rawBody) && rawBody.length > 0 ? rawBody : undefined
  // The parsers of Express 4 leave {} for a content type that they do not read.
  const left = raw !== undefined && (body === null || isEmptyObject(body)) ? raw : (body ?? raw)
  if (left === undefined) return undefined
  if (isText(left)) return parseText(req, left, limit, wantsText)
  if (left instanceof URLSearchParams) return { kind: 'form', text: left.toString() }
  return raw === undefined ? valueBody(left) : { ...duplicatesOf(req, raw, limit), value: left }
}

function parseText({ headers }: GuardedRequest, text: string | Uint8Array, limit: number, wantsText = false): ReadBody {
  const type = headers['content-type']
  // A text has been decoded by its charset already, so only the media type is passed on. Bytes have not been decoded.
  if (typeof text === 'string') return parseBody(Buffer.from(text), type?.split(';', 1)[0], wantsText)
  refuseCharset(type, false)
  if (wantsText) refuseCharsetOfWords(type)
  return parseBody(inflated(text, headers['content-encoding'], limit), type, wantsText)
}

/** The keys that the text of a parsed body names twice. A text that is not the JSON of the body has none. */
function duplicatesOf(req: GuardedRequest, text: string | Uint8Array, limit: number): JsonBody {
  try {
    const read = parseText(req, text, limit)
    if (read.kind === 'json') return read
  } catch {
    // The handler gets the parsed value, so an unreadable text does not matter.
  }
  return valueBody(undefined)
}

function isText(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array
}

function isEmptyObject(value: unknown): boolean {
  return value === undefined || (isObject(value) && Object.keys(value).length === 0)
}
