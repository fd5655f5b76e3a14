// Reads the text of every choice of a whole reply, in whatever form it came. A chat's reply that cannot be read is an
// error, never an empty text. The form is recognised from the body, not from the content-type.
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import type { Dialect, ReplyChoice } from '../../dialects/dialect.js'
import { generic } from '../../dialects/generic.js'
import { BUILT_IN, replyReader } from '../../dialects/index.js'
import { type Media, TextWalker, withMedia } from '../../dialects/kit/reply-fields.js'
import { Said } from '../../dialects/kit/reply-texts.js'
import { type FoundCall, ToolCalls } from '../../dialects/tool-calls.js'
import { LlamaGuardError } from '../../types/errors.js'
import type { Frame } from '../../wire/frame.js'
import { Framer, type Label } from '../../wire/framer.js'
import { namesTwice, parseLoosely } from '../../wire/json.js'
import { charsetsOf, isJson, isStream, isSuccess, labelOf, mediaType } from '../head.js'
import { Transcript } from '../stream/held.js'
import { isErrorPage, proseOfError } from './error-words.js'

const MAX_CHOICES = 128

interface RawReply {
  readonly bytes: Buffer
  readonly status: number
  readonly contentType: string
  /** The content and transfer codings of `bytes`, the last applied last. */
  readonly codings: readonly string[]
  readonly maxBytes: number
  /** Default: `refuse`. */
  readonly media?: Media | undefined
  /** True for a redirect, whose body hardly anybody reads. */
  readonly redirects?: boolean
  /** True for the reply to a request without words, such as a download. Default: false. */
  readonly wordless?: boolean
}

/**
 * The texts to judge, one per choice. Empty texts are left out. Undefined for a reply that is no text, to a request
 * that is no chat.
 * `onText` is told what the bytes say, and of what type it is.
 * @throws LlamaGuardError `unreadable_response` for the reply to a chat, and for text that cannot be read.
 */
export async function readReply(
  reply: RawReply,
  dialect: Dialect,
  onText?: (text: string, type: string) => void,
): Promise<readonly ReplyChoice[] | undefined> {
  const { status, contentType, codings, bytes, media, redirects = false, wordless = false } = reply
  // No bytes are no words, in whatever coding and type.
  if (bytes.length === 0) return []
  const noChat = dialect === generic || redirects
  const type = mediaType(contentType)
  const failed = !isSuccess(status)
  if (status === 206 && !noChat) throw unreadable('a part of a reply (206)')
  const bare = noChat && type === BYTES
  const readable = bare || isReadable(type)
  // An error of any type is read as text, because it may contain a reply.
  if (!failed && !readable && noChat) return undefined
  if (!failed && !readable) throw unreadable('a content-type that is neither text nor JSON')
  if ((wordless || redirects) && !codings.every(isKnownCoding)) return undefined
  if (!charsetsOf(contentType).every((charset) => /^(?:utf-?8|us-ascii)$/i.test(charset))) {
    if (redirects) return undefined
    throw unreadable('a charset other than UTF-8')
  }
  const text = textOf(codings.length === 0 ? bytes : await decodeBody(bytes, codings, reply.maxBytes))
  if (text === undefined && (bare || (noChat && failed))) return undefined
  if (text === undefined || (text.includes('\u0000') && !bare)) throw unreadable('bytes that are no text')
  // A part of a file or of JSON is no JSON.
  const read = (): readonly ReplyChoice[] => readText(text.replaceAll('\u0000', ''), type, failed, dialect)
  const choices = status === 206 ? [{ index: 0, text }] : withMedia(media, read)
  onText?.(text, type)
  const spoken = choices.filter((choice) => choice.text !== '')
  if (spoken.length > MAX_CHOICES) throw unreadable(`more than ${MAX_CHOICES} choices`)
  return spoken
}

/** What a handler sends that sends a Buffer. It may be text. */
const BYTES = 'application/octet-stream'

function isReadable(type: string): boolean {
  return (
    type === '' ||
    type.startsWith('text/') ||
    isJson(type) ||
    isStream(type) ||
    /^(?:application|image)\/(?:xml|javascript|x-javascript|yaml|[\w.-]+\+xml)$/.test(type)
  )
}

function readText(text: string, type: string, failed: boolean, dialect: Dialect): readonly ReplyChoice[] {
  if (type === 'text/event-stream') return readEvents(text, type, dialect)
  const parsed = parse(text)
  if (parsed !== undefined) {
    const choices = readJson(parsed.value, text, failed, dialect)
    const isText = labelOf(type) === 'text' && !failed && dialect.unjudgedReplies === undefined
    return isText ? withEveryText(choices, parsed.value) : choices
  }
  if (isStream(type) || looksLikeStream(text)) return readEvents(text, type, dialect)
  // This applies to error statuses too, because broken JSON may be half of a reply.
  if (isJson(type) && /^[\s\uFEFF]*[{[]/.test(text)) throw unreadable('broken JSON')
  return failed && isErrorPage(text) ? [] : [{ index: 0, text }]
}

/** In JSON that is labelled as text, the model may have written the fields of a server as well. */
function withEveryText(choices: readonly ReplyChoice[], value: unknown): readonly ReplyChoice[] {
  const said = new Said(choices.map(({ text }) => text))
  const rest: string[] = []
  new TextWalker({}, { media: 'judge' }).walk(value, (_path, text) => void (said.has(text) || rest.push(text)))
  const [first = { index: 0, text: '' }, ...others] = choices
  return [{ ...first, text: [first.text, ...rest].join('\n') }, ...others]
}

function readJson(value: unknown, text: string, failed: boolean, dialect: Dialect): readonly ReplyChoice[] {
  if (namesTwice(text, value)) throw unreadable('a key that one object names twice, which clients read differently')
  const known = dialect === generic ? undefined : dialect.reply(value)
  if (known !== undefined) return known
  // A list of the events of an API is read like the stream that it is.
  if (Array.isArray(value) && BUILT_IN.some(({ answers }) => answers?.(value[0]) === true))
    return readElements(text, dialect)
  if (failed && !Array.isArray(value)) return [{ index: 0, text: proseOfError(value).join('\n') }]
  // A bare number is judged as it is written.
  return typeof value === 'object'
    ? generic.reply(value)!
    : [{ index: 0, text: typeof value === 'string' ? value : text }]
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

function readEvents(text: string, type: string, dialect: Dialect): readonly ReplyChoice[] {
  const label = labelOf(type)
  return readFrames(text, label ?? 'text', dialect, label === 'text')
}

/** Reads an array like a client that takes each element for an event. */
function readElements(text: string, dialect: Dialect): readonly ReplyChoice[] {
  return readFrames(text, 'array', dialect)
}

/** The calls of tools that the reply asks for. */
export function callsIn(text: string, type: string): readonly FoundCall[] {
  const found: FoundCall[] = []
  const calls = new ToolCalls((call) => found.push(call))
  const value = parseLoosely(text)?.value
  if (value !== undefined) calls.value(value)
  else
    for (const { event, more = [] } of framesOf(text, labelOf(type) ?? 'text'))
      for (const each of [event, ...more]) calls.read(each)
  calls.end()
  return found
}

/** True for a text of which at least a line is an event or JSON. */
function looksLikeStream(text: string): boolean {
  const frames = framesOf(text, 'text')
  return frames.some(({ kind, event, more }) => more !== undefined || (kind !== 'text' && event.data !== undefined))
}

/** @throws LlamaGuardError `unreadable_response` for bytes that are in no known frame. */
function framesOf(text: string, label: Label): readonly Frame[] {
  const framer = new Framer(label)
  const frames = [...framer.push(Buffer.from(text)), ...framer.finish()]
  if (framer.failure !== undefined) throw framer.failure
  return frames
}

function readFrames(text: string, label: Label, dialect: Dialect, bare = false): readonly ReplyChoice[] {
  const choices = new Map<number, Transcript>()
  const reader = replyReader(dialect, { bare })
  for (const { event: first, more = [] } of framesOf(text, label))
    for (const event of [first, ...more])
      for (const { choice, channel, text: added, from } of reader.read(event)) {
        let transcript = choices.get(choice)
        if (transcript === undefined) choices.set(choice, (transcript = new Transcript()))
        transcript.add(channel, added, from)
      }
  return [...choices].map(([index, transcript]) => ({ index, text: transcript.text() }))
}

type Decoder = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>

const DECODERS: Readonly<Record<string, Decoder | undefined>> = {
  gzip: toItsEnd(zlib.gunzip),
  'x-gzip': toItsEnd(zlib.gunzip),
  deflate: inflateEither,
  br: toItsEnd(zlib.brotliDecompress),
}

const inflate = toItsEnd(zlib.inflate)
const inflateRaw = toItsEnd(zlib.inflateRaw)

/** Throws when bytes follow the end of the coded data. Node leaves them unread, so they would leave unjudged. */
function toItsEnd(
  decode: (bytes: Uint8Array, options: zlib.ZlibOptions, done: (error: Error | null, decoded: Buffer) => void) => void,
): Decoder {
  return async (bytes, options) => {
    // With `info`, Node returns the engine beside the bytes. Its types do not say so.
    const { buffer, engine } = (await promisify(decode)(bytes, { ...options, info: true })) as unknown as {
      buffer: Buffer
      engine: { readonly bytesWritten: number }
    }
    if (engine.bytesWritten !== bytes.length) throw new TypeError('bytes follow the end of the coded data')
    return buffer
  }
}

/** RFC 9110 defines "deflate" as zlib, but many servers send raw deflate, and clients read both. */
async function inflateEither(bytes: Uint8Array, options: { maxOutputLength: number }): Promise<Buffer> {
  try {
    return await inflate(bytes, options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw error
    return await inflateRaw(bytes, options)
  }
}

/** True for codings that can be undone. */
function isKnownCoding(coding: string): boolean {
  return Object.hasOwn(DECODERS, coding)
}

/**
 * Undoes the codings of a body, the last one first.
 * @throws LlamaGuardError `unreadable_response` for an unknown coding or bytes that do not fit it, `reply_too_large`
 * when the decoded body exceeds `maxBytes`.
 */
async function decodeBody(bytes: Buffer, codings: readonly string[], maxBytes: number): Promise<Buffer> {
  if (codings.length > 3) throw unreadable('more than three content codings')
  let decoded = bytes
  for (const coding of [...codings].reverse()) {
    const decoder = DECODERS[coding]
    if (decoder === undefined) throw unreadable('a content coding this Node cannot undo')
    try {
      decoded = await decoder(decoded, { maxOutputLength: maxBytes })
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code
      if (code === 'ERR_BUFFER_TOO_LARGE')
        throw new LlamaGuardError(
          'reply_too_large',
          'The decompressed reply is larger than maxReplyBytes. Raise it, or ask the model for less.',
          { cause },
        )
      throw unreadable('a body that does not fit its content-encoding', cause)
    }
  }
  return decoded
}

// Shared by all replies, because a decoder without `stream` keeps nothing from one call to the next.
const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** The text of a body in UTF-8; undefined for other bytes. */
function textOf(bytes: Buffer): string | undefined {
  try {
    return UTF8.decode(bytes)
  } catch {
    return undefined
  }
}

function unreadable(what: string, cause?: unknown): LlamaGuardError {
  return new LlamaGuardError(
    'unreadable_response',
    `The reply has ${what}, so it cannot be judged. Send JSON, text or an event stream in UTF-8, ` +
      'plain or as gzip, br or deflate.',
    { cause },
  )
}
