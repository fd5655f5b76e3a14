// Reads pictures and files in a request. Inline data of a text type is decoded and judged, and pictures go to the
// guard, or their words where it sees none. Any other data is refused, because no guard sees it.
import { Buffer, isUtf8 } from 'node:buffer'
import { type LlamaGuardError, unreadableRequest, unreadableResponse, unsupportedContent } from '../../types/errors.js'
import type { Image } from '../../types.js'
import { isObject, textOf } from '../../utils/json.js'

/** Takes the content of a request piece by piece. */
export interface Sink {
  /** Adds one string. */
  text(text: string): void
  picture(image: Image): void
}

/** How a media type is known: pictures by `image/`, and text by these. */
export const TEXT_TYPE =
  /^(?:text\/|application\/(?:json|xml|javascript|x-ndjson|yaml|x-yaml|toml|[\w.-]+\+(?:json|xml)))/i
const PICTURE_TYPE = /^image\/(?!svg)/i
const PICTURE = /^(?:https?:\/\/|data:image\/(?!svg)[\w.+-]{1,40};base64,)/i
const DATA_URL = /^\s{0,64}data:([\w.+-]{1,64}\/[\w.+-]{1,64})?((?:;[^,;]{0,128}){0,8}),/i
const BASE64 = /^[A-Za-z0-9+/=_\s-]+$/
const HEAD = 1024
/** The first characters of the base64 of a picture, by kind. */
const SIGNATURES: readonly (readonly [string, string])[] = [
  ['/9j/', 'jpeg'],
  ['R0lG', 'gif'],
  ['UklGR', 'webp'],
  ['iVBORw0KGgo', 'png'],
]
const WELL_KNOWN = /^(?:text\/(?:plain|markdown|html|csv|xml|css|javascript)|application\/json|image\/\w{2,5})$/i

/** True for a media type in which there is no room for words. */
export function isWellKnown(type: string): boolean {
  return WELL_KNOWN.test(type)
}

/** True when the whole string is one data URL. */
export function isDataUrl(text: string): boolean {
  return /^\s{0,64}data:/i.test(text) && DATA_URL.test(text.slice(0, HEAD))
}

/** @throws LlamaGuardError `unsupported_content` for data that is neither text nor a picture. */
export function readDataUrl(url: string, sink: Sink): void {
  const [head, type = 'text/plain', parameters = ''] = DATA_URL.exec(url.slice(0, HEAD)) ?? ['']
  if (PICTURE.test(url.trimStart())) return readPicture(url.trimStart(), sink, type)
  if (!TEXT_TYPE.test(type)) throw unsupported('a file that is neither text nor an image')
  const base64 = /;\s*base64\s*$/i.test(parameters)
  const beside = parameters.replace(/;\s*(?:base64|charset="?utf-?8"?)\s*(?=;|$)/gi, '')
  if (!WELL_KNOWN.test(type)) sink.text(type)
  sink.text(beside)
  // fetch() undoes percent-encoding before base64.
  const data = fromPercents(url.slice(head.length))
  const bytes = base64 ? Buffer.from(data.toString('latin1'), 'base64') : data
  readText(bytes, /;\s*charset="?([^;"]+)/i.exec(parameters)?.[1] ?? 'utf-8', sink)
  // A handler may show the string as it came. Words can be valid base64 too, of bytes that are no text.
  if (base64 && !(isUtf8(bytes) && BASE64.test(url.slice(head.length)) && url.length > 128))
    sink.text(url.slice(head.length))
}

/** Reads data whose type stands in a field of its own: base64, or the text itself. */
function readInlineData(type: string, data: string, sink: Sink): void {
  if (isDataUrl(data)) readDataUrl(data, sink)
  else if (PICTURE_TYPE.test(type) && BASE64.test(data)) readPicture(`data:${type};base64,${data}`, sink, type)
  else readDataUrl(`data:${type};base64,${data}`, sink)
}

function readText(bytes: Buffer, charset: string, sink: Sink): void {
  const utf8 = bytes.toString('utf8')
  sink.text(utf8)
  try {
    const named = new TextDecoder(charset.trim()).decode(bytes)
    if (named !== utf8) sink.text(named)
  } catch {
    throw unsupported('a text in a charset that is not known')
  }
}

function fromPercents(data: string): Buffer {
  if (!data.includes('%')) return Buffer.from(data)
  const pieces = data.split(/((?:%[0-9a-f]{2})+)/i)
  return Buffer.concat(
    pieces.map((piece, at) => (at % 2 === 1 ? Buffer.from(piece.replaceAll('%', ''), 'hex') : Buffer.from(piece))),
  )
}

function readPicture(url: string, sink: Sink, type = 'image/png'): void {
  if (!WELL_KNOWN.test(type)) sink.text(type)
  sink.picture({ url })
}

const PICTURE_KEY = /^(?:input|media)?images?(?:urls?|data)?$/
const TYPES = ['media_type', 'mediaType', 'mime_type', 'mimeType', 'contentType'] as const
const HOLDERS = [
  ...['url', 'data', 'image_url', 'imageUrl', 'image', 'base64', 'bytes', 'blob', 'value', 'file_data', 'result'],
  ...['source', 'file', 'inlineData', 'inline_data', 'resource'],
]
/** Media that stand elsewhere. */
const ELSEWHERE = /^(?:file_?(?:id|ur[il])|s3Location)$/i

/** True for pictures in a field that is named after them: addresses, inline data, or objects with such. */
export function isPicture(name: string, value: unknown): boolean {
  if (name.length > 20 || !PICTURE_KEY.test(name.toLowerCase().replace(/[_-]/g, ''))) return false
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.length > 0 && list.every(shows)
}

function shows(value: unknown): boolean {
  if (typeof value === 'string') return PICTURE.test(value) || isDataUrl(value) || isPictureData(value)
  return isObject(value) && HOLDERS.some((key) => shows(value[key]))
}

/** True for base64 that begins as a picture of a known kind does. */
function isPictureData(text: string): boolean {
  return kindOf(text) !== undefined && BASE64.test(text)
}

function kindOf(data: string): string | undefined {
  return SIGNATURES.find(([start]) => data.startsWith(start))?.[1]
}

/** Reads pictures. `beside` gets what stands beside them in their objects. */
export function readPictures(value: unknown, sink: Sink, beside: (rest: Record<string, unknown>) => void): void {
  if (Array.isArray(value)) for (const item of value as unknown[]) readPictures(item, sink, beside)
  else if (isObject(value)) readMedia(value, sink, beside, 'image')
  else readOne(String(value), undefined, sink, 'image')
}

/**
 * Reads every picture, file and text that an object holds as its media.
 * @throws LlamaGuardError `unsupported_content` when it holds none, or one that no guard sees.
 */
export function readMedia(
  holder: Readonly<Record<string, unknown>>,
  sink: Sink,
  beside: (rest: Record<string, unknown>) => void,
  kind: 'image' | 'file',
): void {
  if (!hold(holder, { sink, beside, kind }))
    throw unsupported(`${kind === 'image' ? 'an image' : 'a file'} that is not in the message itself`)
}

interface Holding {
  readonly sink: Sink
  readonly beside: (rest: Record<string, unknown>) => void
  readonly kind: 'image' | 'file'
  readonly type?: string | undefined
}

function hold(holder: Readonly<Record<string, unknown>>, holding: Holding): boolean {
  const { sink, beside, kind } = holding
  const taken = new Set<string>()
  const type = typeOf(holder, kind) ?? holding.type
  let found = false
  for (const [key, value] of Object.entries(holder)) {
    if (ELSEWHERE.test(key) && value !== null && value !== undefined)
      throw unsupported('a file that is not in the message itself')
    if (!HOLDERS.includes(key) || value === null || value === '') continue
    if (isObject(value)) found = hold(value, { ...holding, type }) || found
    else if (typeof value !== 'string') continue
    // A document of Anthropic's, whose data are the words themselves.
    else if (holder.type === 'text' && key === 'data') sink.text(value)
    else readOne(value, type, sink, kind)
    found ||= typeof value === 'string'
    taken.add(key)
  }
  beside(Object.fromEntries(Object.entries(holder).filter(([key]) => !taken.has(key))))
  return found
}

function typeOf(holder: Readonly<Record<string, unknown>>, kind: 'image' | 'file'): string | undefined {
  const named = TYPES.map((name) => holder[name]).find((name) => typeof name === 'string')
  if (typeof named === 'string') return named
  // Bedrock names a format.
  if (typeof holder.format !== 'string') return undefined
  if (kind === 'image') return `image/${holder.format}`
  return ['txt', 'md', 'csv', 'html'].includes(holder.format) ? 'text/plain' : `application/${holder.format}`
}

function readOne(data: string, type: string | undefined, sink: Sink, kind: 'image' | 'file'): void {
  if (isDataUrl(data)) return readDataUrl(data, sink)
  if (/^https?:\/\//i.test(data) && (kind === 'image' || PICTURE_TYPE.test(type ?? '')))
    return sink.picture({ url: data })
  const picture = kind === 'image' ? kindOf(data) : undefined
  const known = type ?? (picture && `image/${picture}`)
  if (known === undefined || /^https?:\/\//i.test(data))
    throw unsupported(`${kind === 'image' ? 'an image' : 'a file'} of an unknown type`)
  readInlineData(known, data, sink)
}

export function unreadable(what: string): LlamaGuardError {
  return unreadableRequest(`${what}; send what the API's reference describes.`)
}

export function unsupported(what: string): LlamaGuardError {
  return unsupportedContent(`A message carries ${what}, which the guard cannot judge; send text or images.`)
}

/** The head of inline data with no words in it. */
const IMAGE_HEAD = /^data:image\/(?:png|jpe?g|gif|webp|bmp|tiff|avif|hei[cf]|(?:x-|vnd\.microsoft\.)icon);base64,/i
/** The first characters of the base64 of JPEG, GIF, WebP, PNG, BMP, TIFF, AVIF and HEIC, and icons. */
const IMAGE_BYTES = /^(?:\/9j\/|R0lG|UklGR|iVBORw0KGgo|Qk[0-3]|SUkqA|TU0AK|AAAA[A-P]GZ0eXB|AAABA)[\w+/=\r\n-]+$/
/** Shorter data costs little to judge, and a text that only begins like an image is rarely longer. */
const SHORT = 4096

/** Empty for inline data that is an image by its first bytes. */
export function pictureWords({ url }: Image): string {
  const head = IMAGE_HEAD.exec(url)?.[0]
  if (head === undefined) return url
  const data = url.slice(head.length)
  if (IMAGE_BYTES.test(data) && data.length > SHORT) return ''
  const bytes = Buffer.from(data, 'base64')
  return isUtf8(bytes) ? `${data}\n${bytes.toString('utf8')}` : data
}

/** A text that is JSON without the pictures in it, which are read as such. Slashes may be escaped. */
export function withoutPictures(json: string): string {
  const isImage = (run: string): boolean => run.length > SHORT && IMAGE_BYTES.test(run.replaceAll('\\', ''))
  return json.replace(/[\w+\\/=-]+/g, (run) => (isImage(run) ? '' : run))
}

const MEDIA_KEYS = new Set(['b64_json', 'partial_image_b64'])
const MEDIA_URL = /^\s*data:(?!text\/)[^,]{0,200};\s*base64\s*,/i
/** Data without a media type. A shorter one may be a word. */
const LONG_BASE64 = /^[\w+/=-]{64,}$/
const MEDIA_HOLDERS = new Set<unknown>(['audio', 'inline_data', 'inlineData'])

/** True for inline media. */
export function looksLikeMedia(text: string): boolean {
  return MEDIA_URL.test(text)
}

/** True for a string that is media, by its own beginning or by the fields that it stands in. */
export function isMedia(
  key: string,
  { type, mimeType, mime_type = mimeType }: Readonly<Record<string, unknown>>,
  path: readonly (string | number)[],
  text: string,
): boolean {
  if (MEDIA_KEYS.has(key) || looksLikeMedia(text)) return true
  if (key === 'result') return type === 'image_generation_call'
  if (key !== 'data') return false
  return (
    type === 'base64' ||
    MEDIA_HOLDERS.has(path.slice(0, -1).findLast((name) => typeof name === 'string')) ||
    // A part of the Model Context Protocol, and one of Gemini's Interactions.
    (/^(?:image|audio|video|document)$/.test(textOf(type)) && (typeof mime_type === 'string' || LONG_BASE64.test(text)))
  )
}

const BYTES = /^[\w+/=\s-]{8,}$/
/** A shorter text may be base64 by chance. */
const SHORT_BYTES = 64

/** True for a field that holds base64: of a resource, of an event within an event. */
export function isBytes(key: string, text: string): boolean {
  return (key === 'bytes' || key === 'blob') && BYTES.test(text)
}

/** What such a field says, and the base64 itself where a client may show it as it came. Undefined for no text. */
export function wordsOfBytes(text: string): readonly string[] | undefined {
  const bytes = Buffer.from(text, 'base64')
  if (!isUtf8(bytes) || bytes.includes(0)) return undefined
  const whole = text.length >= SHORT_BYTES && bytes.toString('base64').length + 2 >= text.length
  return whole ? [bytes.toString()] : [bytes.toString(), text]
}

export function unreadMedia(): LlamaGuardError {
  const message = 'The reply carries audio, image or other data, which the guard cannot read; ask the model for text.'
  return unreadableResponse(message)
}
