// What a whole reply says, whatever form it came in: every choice's text, or unreadable_response. Never
// "nothing" for what it cannot read. The form is told by what is written, not by the label.
import type { Dialect, ReplyChoice } from '../../dialects/dialect.js'
import { LlamaGuardError } from '../../errors.js'
import { duplicateKeys } from '../../utils/duplicate-keys.js'
import { isJson, isStream, isSuccess, mediaType } from '../media-type.js'
import { decodeBody, decodeText } from './decode.js'
import { isErrorPage, type KeyedText, proseOfError } from './error-words.js'
import { looksLikeStream, readElements, readEvents } from './read-stream.js'

const MAX_CHOICES = 128

export interface RawReply {
  readonly bytes: Buffer
  readonly status: number
  readonly contentType: string
  readonly contentEncoding: string
  readonly maxBytes: number
}

/** The texts to judge, one per choice, empty ones left out. */
export async function readReply(reply: RawReply, dialect: Dialect): Promise<readonly ReplyChoice[]> {
  const { status, contentType, contentEncoding, bytes } = reply
  if (status === 206) throw unreadable('a part of a reply (206)')
  const type = mediaType(contentType)
  const failed = !isSuccess(status)
  if (failed && bytes.length === 0) return []
  // An error of any type is read as text, for a reply may hide in it.
  if (!failed && !isReadable(type)) throw unreadable('a content-type that is neither text nor JSON')
  const text = decodeText(
    contentEncoding === '' ? bytes : await decodeBody(bytes, contentEncoding, reply.maxBytes),
    contentType,
  )
  const choices = readText(text, type, failed, dialect).filter((choice) => choice.text !== '')
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
  if (type === 'text/event-stream') return readEvents(text, type, dialect)
  const parsed = parse(text)
  if (parsed !== undefined) return readJson(parsed.value, text, failed, dialect)
  if (!isStream(type) && text.includes('\u0000')) throw unreadable('binary data')
  const stream = isStream(type) ? 'whole' : looksLikeStream(text)
  if (stream === 'whole') return readEvents(text, type, dialect)
  // Half a reply would be half a reply all the same, so a status of an error does not help.
  if (isJson(type) && /^[\s\uFEFF]*[{[]/.test(text)) throw unreadable('broken JSON')
  if (failed && stream === false && isErrorPage(text)) return []
  // Text with events among its lines: clients read one or the other.
  return stream === 'partly' ? [...readEvents(text, type, dialect), { index: 0, text }] : [{ index: 0, text }]
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
  // A bare number is its own text.
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

/** Strings and keys in document order, each with the key it stands under. */
function strings(value: unknown): KeyedText[] {
  const found: KeyedText[] = []
  // An explicit stack: nesting is the sender's choice, and recursion would let it overflow ours.
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
