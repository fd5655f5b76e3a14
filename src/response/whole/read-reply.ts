// Reads the text of every choice of a whole reply, in whatever form it came. A reply that cannot be read is an error,
// never an empty text. The form is recognised from the body, not from the content-type.
import type { Dialect, ReplyChoice } from '../../dialects/dialect.js'
import { LlamaGuardError } from '../../errors.js'
import { duplicateKeys } from '../../utils/duplicate-keys.js'
import { isJson, isStream, isSuccess, mediaType } from '../media-type.js'
import { decodeBody, decodeTexts, readAsUtf8 } from './decode.js'
import { isErrorPage, type KeyedText, proseOfError } from './error-words.js'
import { looksLikeStream, readElements, readEvents } from './read-stream.js'

const MAX_CHOICES = 128

export interface RawReply {
  readonly bytes: Buffer
  readonly status: number
  readonly contentType: string
  /** The content and transfer codings of `bytes`, the last applied last. */
  readonly codings: readonly string[]
  readonly maxBytes: number
}

/** The texts to judge, one per choice. Empty texts are left out. */
export async function readReply(reply: RawReply, dialect: Dialect): Promise<readonly ReplyChoice[]> {
  const { status, contentType, codings, bytes } = reply
  // No bytes are no words, in whatever coding and type.
  if (bytes.length === 0) return []
  if (status === 206) throw unreadable('a part of a reply (206)')
  const type = mediaType(contentType)
  const failed = !isSuccess(status)
  // An error of any type is read as text, because it may contain a reply.
  if (!failed && !isReadable(type)) throw unreadable('a content-type that is neither text nor JSON')
  const body = codings.length === 0 ? bytes : await decodeBody(bytes, codings, reply.maxBytes)
  const texts = decodeTexts(body, contentType)
  const asUtf8 = readAsUtf8(body, contentType)
  const choices = [
    ...texts.flatMap((text) => readText(text, type, failed, dialect)),
    // Some clients read the charset that the reply names and some read UTF-8, so all texts are judged.
    ...(asUtf8 === undefined || texts.includes(asUtf8) ? [] : readLoosely(asUtf8, type, failed, dialect)),
  ].filter((choice) => choice.text !== '')
  if (choices.length > MAX_CHOICES) throw unreadable(`more than ${MAX_CHOICES} choices`)
  return choices
}

function isReadable(type: string): boolean {
  return (
    type === '' ||
    type.startsWith('text/') ||
    isJson(type) ||
    isStream(type) ||
    /^application\/(xml|javascript|x-javascript|yaml|[\w.-]+\+xml)$/.test(type)
  )
}

function readText(text: string, type: string, failed: boolean, dialect: Dialect): readonly ReplyChoice[] {
  if (text.includes('\u0000')) throw unreadable('binary data')
  if (type === 'text/event-stream') return readEvents(text, type, dialect)
  const parsed = parse(text)
  if (parsed !== undefined) return readJson(parsed.value, text, failed, dialect)
  const isEvents = isStream(type) || looksLikeStream(text)
  if (isEvents) return readEvents(text, type, dialect)
  // This applies to error statuses too, because broken JSON may be half of a reply.
  if (isJson(type) && /^[\s\uFEFF]*[{[]/.test(text)) throw unreadable('broken JSON')
  return failed && isErrorPage(text) ? [] : [{ index: 0, text }]
}

/** UTF-16 read as UTF-8 has a zero byte beside each Latin letter, which nobody sees: its words are judged as text. */
function readLoosely(text: string, type: string, failed: boolean, dialect: Dialect): readonly ReplyChoice[] {
  try {
    return readText(text, type, failed, dialect)
  } catch (error) {
    const zeros = text.split('\u0000').length - 1
    // Anything else that cannot be read, such as sound, is refused as in any reply. So are zeros beside events or
    // objects, because their words belong together, and UTF-16 shows neither.
    if (zeros * 4 < text.length || text.includes('{"') || looksLikeStream(text.replaceAll('\u0000', '?'))) throw error
    return [{ index: 0, text: text.replaceAll('\u0000', '') }]
  }
}

function readJson(value: unknown, text: string, failed: boolean, dialect: Dialect): readonly ReplyChoice[] {
  if (duplicateKeys(text, value).size > 0)
    throw unreadable('a key that one object names twice, which clients read differently')
  const reply = dialect.reply(value)
  if (reply !== undefined) return reply
  const found = strings(value)
  if (failed && !Array.isArray(value)) {
    const prose = proseOfError(found)
    return prose.length === 0 ? [] : [{ index: 0, text: prose.join('\n') }]
  }
  // A JSON value without strings, such as a bare number, is judged as it is written.
  const whole = found.length > 0 ? found.map(({ text: said }) => said).join('\n') : text
  return Array.isArray(value)
    ? [...readElements(text, dialect), { index: 0, text: whole }]
    : [{ index: 0, text: whole }]
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

/** Strings and keys in document order, each with the key above it. */
function strings(value: unknown): KeyedText[] {
  const found: KeyedText[] = []
  // An explicit stack, because the sender chooses the nesting and recursion could overflow the call stack.
  const pending: { key: string; value: unknown }[] = [{ key: '', value }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { key, value: inner } = next
    if (typeof inner === 'string') found.push({ key, text: inner })
    if (typeof inner !== 'object' || inner === null) continue
    const children = Array.isArray(inner)
      ? inner.map((item: unknown) => ({ key, value: item }))
      : Object.entries(inner).flatMap(([name, child]) => [
          { key: '', value: name },
          { key: name, value: child as unknown },
        ])
    for (const child of children.reverse()) pending.push(child)
  }
  return found
}

function unreadable(what: string): LlamaGuardError {
  return new LlamaGuardError(
    'unreadable_response',
    `The reply has ${what}, so it cannot be judged. Answer with JSON, text or an event stream.`,
  )
}
