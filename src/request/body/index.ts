// Gets the body of a request as a value: what a parser left on `req.body`, else our own bounded read.
// The handler must get what was judged, so a body we read ourselves is set on `req.body` and stays readable
// on the stream.
import type { GuardedRequest } from '../../types.js'
import { readStream } from './read-stream.js'
import { looksLikeJson, NO_BODY, parseJson, type ReadBody, refuseCharset, valueBody } from './parse.js'

export interface BodyOptions {
  /** The most bytes of a body, raw and inflated. */
  readonly limit: number
}

/** Throws `LlamaGuardError` with a 4xx code for a body that cannot be read the same way by everyone. */
export async function readBody(req: GuardedRequest, { limit }: BodyOptions): Promise<ReadBody> {
  const { body } = req
  if (typeof body === 'string') return parsedText(Buffer.from(body), body)
  if (body instanceof Uint8Array) return parsedBytes(req, body)
  // Express 4 parsers leave {} behind for a content type they do not read; the body then waits on the stream.
  const unread = !req.readableDidRead && !req.readableEnded && hasBody(req)
  if (body !== undefined && body !== null && !(isEmptyObject(body) && unread)) return valueBody(body)
  if (!unread) return NO_BODY
  const read = await readStream(req, limit)
  if (read.kind === 'value') req.body = read.value
  return read
}

/** True when the headers announce a body. HTTP/2 needs no header for one. */
export function hasBody(req: GuardedRequest): boolean {
  if (req.httpVersionMajor >= 2) return !req.readableEnded
  const length = req.headers['content-length']
  return req.headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0)
}

function parsedBytes(req: GuardedRequest, body: Uint8Array): ReadBody {
  const jsonLike = looksLikeJson(body)
  refuseCharset(req.headers['content-type'], jsonLike === true)
  return parsedText(body, body)
}

function parsedText(bytes: Uint8Array, source: Uint8Array | string): ReadBody {
  const jsonLike = looksLikeJson(bytes)
  if (jsonLike === undefined) return NO_BODY
  return jsonLike ? parseJson(source) : { kind: 'notJson', form: undefined }
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
}
