// What a whole reply says, whatever form it came in: every choice's text, or unreadable_response. Never
// "nothing" for what it cannot read.
import type { Dialect, ReplyChoice } from '../../dialects/dialect.js'
import { LlamaGuardError } from '../../errors.js'
import { duplicateKeys } from '../../utils/duplicate-keys.js'
import { isJson, isStream, isSuccess, mediaType } from '../media-type.js'
import { type Framer, ndjsonFramer, sseFramer } from '../stream/framing.js'
import { decodeBody, decodeText } from './decode.js'

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
  const { status, contentType, contentEncoding } = reply
  if (status === 206) throw unreadable('a part of a reply (206)')
  const type = mediaType(contentType)
  if (!isReadable(type)) throw unreadable('a content-type that is neither text nor JSON')
  const text = decodeText(
    contentEncoding === '' ? reply.bytes : await decodeBody(reply.bytes, contentEncoding, reply.maxBytes),
    contentType,
  )
  const choices = (
    isSuccess(status) || isStream(type) ? readSuccess(text, type, dialect) : readFailure(text, type, dialect)
  ).filter((choice) => choice.text !== '')
  if (choices.length > MAX_CHOICES) throw unreadable(`more than ${MAX_CHOICES} choices`)
  return choices
}

function isReadable(type: string): boolean {
  return (
    type === '' ||
    type.startsWith('text/') ||
    isJson(type) ||
    /^application\/(xml|x-ndjson|jsonl|json-seq|javascript|x-javascript|yaml|[\w.-]+\+xml)$/.test(type)
  )
}

function readSuccess(text: string, type: string, dialect: Dialect): readonly ReplyChoice[] {
  if (type === 'text/event-stream' || /^\uFEFF?(data|event|id|retry)?:/.test(text))
    return readStream(text, sseFramer(), dialect)
  const parsed = parse(text)
  if (parsed !== undefined) {
    if (duplicateKeys(text, parsed.value).size > 0)
      throw unreadable('a key that one object names twice, which clients read differently')
    return dialect.reply(parsed.value) ?? [{ index: 0, text: stringsOf(parsed.value, text) }]
  }
  if (/^\s*[{[]/.test(text)) {
    // Several JSON values, one a line, is a stream that was held whole. JSON escapes would hide words from a
    // guard that reads it raw.
    if (
      text
        .trim()
        .split('\n')
        .every((line) => line.trim() === '' || parse(line) !== undefined)
    )
      return readStream(text, ndjsonFramer(), dialect)
    if (isJson(type)) throw unreadable('broken JSON')
  }
  if (text.includes('\u0000')) throw unreadable('binary data')
  return [{ index: 0, text }]
}

// Where an error says what went wrong. Prose anywhere else (`failed_generation`, `answer`) may be the model's.
const ERROR_WORDS = new Set([
  'message',
  'error',
  'detail',
  'details',
  'msg',
  'title',
  'type',
  'code',
  'status',
  'reason',
  'hint',
  'help',
  'path',
  'param',
  'loc',
  'stack',
  'documentation_url',
  'name',
  'errors',
])

/**
 * An error the app answers is no model reply, unless it has a reply's shape, or carries prose beside what
 * went wrong.
 */
function readFailure(text: string, type: string, dialect: Dialect): readonly ReplyChoice[] {
  const parsed = parse(text)
  if (parsed === undefined) {
    // Half a reply with an error status would be half a reply all the same.
    if (isJson(type) && /^\s*[{[]/.test(text)) throw unreadable('broken JSON')
    return []
  }
  if (duplicateKeys(text, parsed.value).size > 0)
    throw unreadable('a key that one object names twice, which clients read differently')
  const reply = dialect.reply(parsed.value)
  if (reply !== undefined) return reply
  const prose = strings(parsed.value).filter(({ key, text: said }) => !ERROR_WORDS.has(key) && /\S\s+\S/.test(said))
  return prose.length === 0 ? [] : [{ index: 0, text: prose.map(({ text: said }) => said).join('\n') }]
}

function readStream(text: string, framer: Framer, dialect: Dialect): readonly ReplyChoice[] {
  const reader = dialect.stream()
  const channels = new Map<number, Map<string, string>>()
  for (const { event } of [...framer.push(Buffer.from(text)), ...framer.finish()]) {
    for (const { choice, channel, text: added } of reader.read(event)) {
      let known = channels.get(choice)
      if (known === undefined) channels.set(choice, (known = new Map<string, string>()))
      known.set(channel, (known.get(channel) ?? '') + added)
    }
  }
  return [...channels].map(([index, texts]) => ({ index, text: [...texts.values()].join('\n') }))
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

/** Every string of an unknown shape, unescaped, keys included; a bare number is its own text. */
function stringsOf(value: unknown, raw: string): string {
  const found = strings(value)
  return found.length > 0 ? found.map(({ text }) => text).join('\n') : raw
}

/** Strings and keys in document order, each with the key it stands under. */
function strings(value: unknown): { readonly key: string; readonly text: string }[] {
  const found: { key: string; text: string }[] = []
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
