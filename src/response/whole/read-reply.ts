// Reads the text of every choice of a whole reply, in whatever form it came. A chat's reply that cannot be read is an
// error, never an empty text. The form is recognised from the body, not from the content-type.
import type { Dialect, ReplyChoice } from '../../dialects/dialect.js'
import { generic } from '../../dialects/generic.js'
import { BUILT_IN } from '../../dialects/index.js'
import { Said } from '../../dialects/kit/reply-texts.js'
import { TextWalker } from '../../dialects/kit/reply-walker.js'
import { namesTwice } from '../../wire/json.js'
import { labelOf } from '../stream/label.js'
import { charsetsOf, isJson, isStream, isSuccess, mediaType } from '../media-type.js'
import { decodeBody, isKnownCoding, textOf, unreadable } from './decode.js'
import { isErrorPage, proseOfError } from './error-words.js'
import { looksLikeStream, readElements, readEvents } from './read-stream.js'

const MAX_CHOICES = 128

export interface RawReply {
  readonly bytes: Buffer
  readonly status: number
  readonly contentType: string
  /** The content and transfer codings of `bytes`, the last applied last. */
  readonly codings: readonly string[]
  readonly maxBytes: number
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
  const { status, contentType, codings, bytes, redirects = false, wordless = false } = reply
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
  const choices = status === 206 ? [{ index: 0, text }] : readText(text.replaceAll('\u0000', ''), type, failed, dialect)
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
