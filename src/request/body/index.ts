// Gets the body of a request as a value: from a parser that ran before, else by a bounded read. The handler must get
// what was judged, so the bytes that are read here stay readable on the stream.
import { isUtf8 } from 'node:buffer'
import { isWellKnown, TEXT_TYPE } from '../../dialects/kit/media.js'
import type { GuardedRequest } from '../../types.js'
import { LlamaGuardError } from '../../types/errors.js'
import { isObject, isPlain } from '../../utils/json.js'
import { decoded, encodingOf, tooLarge } from './decode.js'
import { mediaTypeOf, NO_BODY, parseBody, type Read, type ReadBody } from './parse.js'
import { readStream } from './read-stream.js'

interface BodyOptions {
  /** The most bytes of a body, compressed and decompressed. */
  readonly limit: number
  /** True where every body is judged. Elsewhere a body that can be no chat is not read. */
  readonly all?: boolean
}

function valueBody(value: unknown): Read {
  return { kind: 'read', format: 'json', value }
}

/** @throws LlamaGuardError for a body that is too large, breaks off, or holds a value that cannot be seen. */
export async function readBody(req: GuardedRequest, options: BodyOptions): Promise<ReadBody> {
  const read = await readFields(req, options)
  const files = uploads(req, options.limit)
  if (files.length === 0 || read.kind === 'unread') return read
  return beside(read.kind === 'read' ? read : valueBody({}), files)
}

/** @throws LlamaGuardError with a 4xx code for a body that is no JSON, or that parsers may read differently. */
export function jsonOf(body: ReadBody): unknown {
  if (body.kind !== 'read') return undefined
  if (body.fault !== undefined) throw body.fault
  return body.format === 'json' ? body.value : undefined
}

async function readFields(req: GuardedRequest, { limit, all = true }: BodyOptions): Promise<ReadBody> {
  const left = leftBody(req, limit)
  if (!hasBody(req) && (left === undefined || (left.kind === 'read' && isEmpty(left.value)))) return NO_BODY
  const isUnread = !req.readableDidRead && !req.readableEnded && hasBody(req)
  if (!isUnread) return left ?? (req.readableDidRead ? { kind: 'unseen' } : NO_BODY)
  // A middleware has set `req.body` before the stream was read. The handler may read either.
  const besides = left?.kind === 'read' && !isEmpty(left.value) ? left : undefined
  const read = await readStream(req, limit, all || besides !== undefined)
  if (besides === undefined) return read
  return read.kind === 'read'
    ? { ...beside(read, besides.value), parsed: false, fault: read.fault ?? besides.fault }
    : read.kind === 'none'
      ? besides
      : read
}

function beside(read: Read, value: unknown): Read {
  return { ...read, value: [read.value, value], exact: undefined }
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
function leftBody(req: GuardedRequest & { readonly rawBody?: unknown }, limit: number): ReadBody | undefined {
  const { body, rawBody } = req
  const raw = isText(rawBody) && rawBody.length > 0 ? rawBody : undefined
  // The parsers of Express 4 leave {} for a content type that they do not read.
  const left = raw !== undefined && isEmpty(body) ? raw : (body ?? raw)
  if (left === undefined) return undefined
  if (isText(left)) return parseLeft(req, left, limit)
  const plain = new PlainValues()
  const value = plain.of(left)
  if (value === undefined && plain.fault !== undefined) throw plain.fault
  const fault = plain.fault ?? (plain.size > limit ? tooLarge(limit) : undefined)
  return { ...valueBody(value), ...(raw !== undefined && unclearIn(req, raw, limit)), ...(fault && { fault }) }
}

function parseLeft(req: GuardedRequest, left: string | Uint8Array, limit: number): ReadBody {
  const type = mediaTypeOf(req)
  // A parser that leaves a text has undone charset and encoding. One that leaves bytes may have undone the encoding.
  if (typeof left === 'string') return asLeft(parseBody(Buffer.from(left), { ...type, charset: 'utf-8' }))
  const { bytes, fault } = decoded(left, encodingOf(req.headers['content-encoding']), limit)
  if (fault?.code === 'unsupported_media_type' && !isUtf8(bytes)) throw fault
  // Bytes that were decoded before do not match their encoding any more.
  return asLeft(parseBody(bytes, type, bytes === left ? undefined : fault))
}

/** A handler finds it where it is. */
function asLeft(read: ReadBody): ReadBody {
  return read.kind === 'read' ? { ...read, parsed: false } : read
}

/** What is unclear in the text of a parsed body. The handler gets the value, so any other fault is none. */
function unclearIn(req: GuardedRequest, raw: string | Uint8Array, limit: number): Partial<Read> {
  const read = parseLeft(req, raw, limit)
  if (read.kind !== 'read' || read.unclear !== true) return {}
  const { fault, mayBeChat, unclear } = read
  return { fault, mayBeChat, unclear }
}

function isText(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array
}

/** True for the value that parsers leave on `req.body` when there was nothing to parse. */
export function isEmpty(body: unknown): boolean {
  if (body === undefined || body === null) return true
  return isPlain(body) && Object.keys(body).length === 0
}

const MAX_DEPTH = 256

/** Makes values plain. */
class PlainValues {
  /** Set when a value does not show what it holds. */
  fault: LlamaGuardError | undefined
  /** Characters of all texts and keys: no more than the bytes they came in. */
  size = 0

  /** The value itself where all of it is plain. */
  of(value: unknown, depth = 0): unknown {
    if (typeof value === 'string') this.size += value.length
    if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value
    if (!Array.isArray(value) && !isPlain(value)) return this.of(this.#held(value), depth)
    const fields = value as Readonly<Record<string, unknown>>
    const names = Object.keys(fields)
    if (Array.isArray(value) && !isDense(value, names)) return names.map((name) => this.of(fields[name], depth + 1))
    // Nearly all bodies are plain, so nothing is made before something is not.
    let changed: Map<string, unknown> | undefined
    for (const name of names) {
      if (!Array.isArray(value)) this.size += name.length
      const item = this.of(fields[name], depth + 1)
      if (item !== fields[name]) (changed ??= new Map(Object.entries(fields))).set(name, item)
    }
    if (changed === undefined) return value
    return Array.isArray(value) ? [...changed.values()] : Object.fromEntries(changed)
  }

  #held(value: object): unknown {
    if (value instanceof ArrayBuffer) return this.#text(new Uint8Array(value))
    if (ArrayBuffer.isView(value)) return this.#text(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
    if (value instanceof Date || value instanceof URL) return String(value)
    if (value instanceof String || value instanceof Number || value instanceof Boolean) return value.valueOf()
    // What a stream holds comes later.
    if (Symbol.asyncIterator in value) return this.#unseen()
    const own = Object.entries(value)
    // Maps, sets, forms and headers.
    if (Symbol.iterator in value) return [...(value as Iterable<unknown>), ...own]
    return own.length > 0 ? Object.fromEntries(own) : this.#unseen()
  }

  #text(bytes: Uint8Array): string | undefined {
    return isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8') : this.#unseen()
  }

  #unseen(): undefined {
    this.fault = new LlamaGuardError(
      'unsupported_media_type',
      'The body holds a value whose content cannot be seen, such as a Blob or bytes that are no text; pass text on.',
    )
  }
}

/**
 * False for a list with gaps or names. Of `a[4294967294]` multer makes a list of four thousand million places, and of
 * the next number a name on a list.
 */
function isDense({ length }: readonly unknown[], names: readonly string[]): boolean {
  return names.length === length && (length === 0 || names[length - 1] === String(length - 1))
}

const IMAGE = /^image\/[\w.+-]+$/i
/** Data of this type is refused where it would have to be judged. */
const UNREADABLE = 'data:application/octet-stream;base64,'

/** The files that a middleware has read. `limit` is the most bytes that are read of one. */
function uploads(req: GuardedRequest, limit: number): readonly object[] {
  const { file, files } = req as { readonly file?: unknown; readonly files?: unknown }
  if (file === undefined && files === undefined) return []
  const lists = isObject(files) ? Object.values(files) : [files]
  return [file, ...lists]
    .flat()
    .filter(isObject)
    .map((each) => toUpload(each, limit))
}

/** The file with its text or its picture as the readers of a body know them. */
function toUpload(file: Record<string, unknown>, limit: number): object {
  const { fieldname, originalname, originalFilename, name, mimetype, buffer, data } = file
  const bytes = [buffer, data].find((held) => held instanceof Uint8Array && held.length > 0)
  return {
    name: fieldname,
    filename: originalname ?? originalFilename ?? name,
    // The client's own words, where it is in no usual form.
    ...(!isWellKnown(String(mimetype)) && { mimeType: mimetype }),
    data: bytes instanceof Uint8Array && bytes.length <= limit ? contentOf(bytes, String(mimetype)) : UNREADABLE,
  }
}

function contentOf(bytes: Uint8Array, type: string): string {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (IMAGE.test(type)) return `data:${type};base64,${content.toString('base64')}`
  // Text with a NUL is rather UTF-16.
  return TEXT_TYPE.test(type) && isUtf8(bytes) && !bytes.includes(0) ? content.toString('utf8') : UNREADABLE
}
