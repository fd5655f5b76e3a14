// Reads images and files in a request. Inline data of a text type is decoded and judged. Images go to the guard. Any
// other data cannot be judged and is refused.
import { Buffer, isUtf8 } from 'node:buffer'
import { LlamaGuardError } from '../../errors.js'
import type { Image } from '../../types.js'
import { isObject } from '../../utils/json.js'
import { FIXED_VALUES } from './fixed-values.js'

/** Takes the content of a request piece by piece. */
export interface Sink {
  /** Adds one string. */
  text(text: string): void
  picture(image: Image): void
}

const HEAD = 512
const SHORT = 64
const DATA_URL = /^\s{0,64}data:([\w.+-]+\/[\w.+-]+|[\w.+-]+(?=;))?((?:;\s?[\w.+-]+(?:=[^;,]*)?)*?)(;\s?base64)?,/i
export const TEXT_TYPE =
  /^(?:text\/|application\/(?:json|xml|javascript|x-ndjson|yaml|x-yaml|toml|[\w.-]+\+(?:json|xml)))/i
const PICTURE = /^(?:https?:\/\/|data:image\/(?!svg)[\w.+-]{1,40};base64,)/i
const BASE64 = /^[A-Za-z0-9+/=_\s-]+$/
/** The first characters of the base64 of an image, by kind. */
const SIGNATURES: readonly (readonly [string, string])[] = [
  ['/9j/', 'jpeg'],
  ['R0lG', 'gif'],
  ['UklGR', 'webp'],
  ['iVBORw0KGgo', 'png'],
]

/** True when the whole string is one data URL. */
export function isDataUrl(text: string): boolean {
  return /^\s{0,64}data:/i.test(text) && DATA_URL.test(text.slice(0, HEAD))
}

/** @throws LlamaGuardError `unsupported_content` for data that is neither text nor an image. */
export function readDataUrl(url: string, sink: Sink): void {
  const head = DATA_URL.exec(url.slice(0, HEAD))
  const [, type = 'text/plain', parameters = '', base64] = head ?? []
  if (head === null) throw unreadable('Inline data has a head that is too long')
  if (/^image\//i.test(type) && PICTURE.test(url.trimStart())) {
    readType(type, sink)
    return sink.picture({ url: url.trimStart() })
  }
  readInline(type, parameters, url.slice(head[0].length), base64 !== undefined, sink)
}

/** Reads base64 data whose type stands in a field of its own. */
export function readInlineData(type: string, data: string, sink: Sink): void {
  if (isDataUrl(data)) return readDataUrl(data, sink)
  if (/^image\/(?!svg)/i.test(type) && BASE64.test(data)) {
    readType(type, sink)
    return sink.picture({ url: checked(`data:${type};base64,${data}`) })
  }
  readInline(type, '', data, true, sink)
}

function readInline(type: string, parameters: string, data: string, base64: boolean, sink: Sink): void {
  if (!TEXT_TYPE.test(type)) throw unsupported('a file that is neither text nor an image')
  readType(type, sink)
  if (parameters !== '') readParameters(parameters, sink)
  if (!base64) return sink.text(decoded(data))
  const bytes = Buffer.from(data, 'base64')
  sink.text(bytes.toString('utf8'))
  // A string of words may also be valid base64 of bytes that are no text. A handler may show the string as it came,
  // so it is judged as words.
  if (data.length < SHORT || !isUtf8(bytes) || bytes.toString('base64').length + 2 < data.length) sink.text(data)
}

/** The name of a type is the client's: one that is not well known is judged as words. */
function readType(type: string, sink: Sink): void {
  if (!FIXED_VALUES.has(type.toLowerCase())) sink.text(type)
}

/** Reads the parameters of inline data. Everything except the name of the charset is judged as words. */
function readParameters(parameters: string, sink: Sink): void {
  const charset = /;\s*charset=([^;]*)/i.exec(parameters)
  if (charset !== null && !/^"?(?:utf-?8|us-ascii)"?$/i.test(charset[1]!.trim()))
    throw unreadable('Inline text has a charset other than UTF-8')
  sink.text(parameters.replace(charset?.[0] ?? '', ''))
}

function decoded(data: string): string {
  try {
    return decodeURIComponent(data)
  } catch {
    return data
  }
}

/** The checked URL of an image part. */
export function checked(url: string): string {
  if (!PICTURE.test(url)) throw unreadable('An image is neither an http(s) URL nor base64 image data')
  return url
}

const PICTURE_KEY = /^(?:input|media)?images?(?:urls?|data)?$/

/** True for the names of image fields in every spelling: `images`, `image_url`, `imageUrl`, `IMAGES`. */
export function isPictureKey(key: string): boolean {
  return key.length <= 20 && PICTURE_KEY.test(key.toLowerCase().replace(/[_-]/g, ''))
}

/**
 * Reads an image or a list of them, as URL, as inline data, as base64, or as an object that holds one. `beside` gets
 * such an object without its image, for the words in it.
 */
export function readPictures(value: unknown, sink: Sink, beside: (rest: Record<string, unknown>) => void): void {
  if (value === null || value === undefined) return
  if (Array.isArray(value)) for (const item of value as unknown[]) readPictures(item, sink, beside)
  else if (isObject(value)) beside(readHolder(value, sink))
  else if (typeof value === 'string') readPicture(value, sink)
  else throw unreadable('An image is neither a URL nor data')
}

function readPicture(text: string, sink: Sink): void {
  if (isDataUrl(text)) readDataUrl(text, sink)
  else sink.picture({ url: /^https?:\/\//i.test(text) ? text : fromBase64(text) })
}

/** True for a string that {@link readPictures} reads. */
export function isPicture(text: string): boolean {
  return PICTURE.test(text) || isDataUrl(text) || kindOf(text) !== undefined
}

/** True for base64 that begins as a picture of a known kind does. */
export function isPictureData(text: string): boolean {
  return kindOf(text) !== undefined && BASE64.test(text)
}

function kindOf(data: string): string | undefined {
  return SIGNATURES.find(([start]) => data.startsWith(start))?.[1]
}

function fromBase64(data: string): string {
  const kind = kindOf(data)
  if (kind === undefined || !BASE64.test(data)) throw unreadable('An image is not base64 data of a known kind')
  return `data:image/${kind};base64,${data}`
}

const HOLDERS = ['url', 'data', 'image_url', 'imageUrl', 'image', 'base64', 'source'] as const
const TYPES = ['media_type', 'mediaType', 'mime_type', 'mimeType'] as const

/** True for an object from which {@link readHolder} reads an image, or which it refuses because it holds two. */
export function isHolder(value: Readonly<Record<string, unknown>>): boolean {
  return HOLDERS.some((key) => {
    const held = value[key]
    return typeof held === 'string' ? isPicture(held) || key === 'data' : isObject(held) && isHolder(held)
  })
}

/**
 * Reads one image. An object with two images or none is refused, because a handler may choose either. Returns the
 * object without the image, for the words beside it.
 */
export function readHolder(holder: Readonly<Record<string, unknown>>, sink: Sink): Record<string, unknown> {
  const held = HOLDERS.filter((key) => holder[key] !== undefined && holder[key] !== null)
  const [key] = held
  if (key === undefined) throw unsupported('an image that is neither a URL nor inline data')
  if (held.length > 1) throw unreadable('An image part holds two images')
  const value = holder[key]
  const type = TYPES.map((name) => holder[name]).find((name) => typeof name === 'string')
  const rest = { ...holder, [key]: undefined }
  if (isObject(value)) return { ...holder, [key]: readHolder(value, sink) }
  if (typeof value !== 'string') throw unreadable('An image is neither a URL nor data')
  if (typeof type === 'string' && !isDataUrl(value) && !/^https?:/i.test(value)) readInlineData(type, value, sink)
  else readPicture(value, sink)
  return rest
}

export function unreadable(what: string): LlamaGuardError {
  return new LlamaGuardError('unreadable_request', `${what}; send what the API's reference describes.`)
}

export function unsupported(what: string): LlamaGuardError {
  return new LlamaGuardError(
    'unsupported_content',
    `A message carries ${what}, which the guard cannot judge; send text or images.`,
  )
}
