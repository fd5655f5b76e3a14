// What a request to Bedrock Converse says: blocks that are named by the one field they have.
import { isObject } from '../utils/json.js'
import { Content } from './kit/content.js'
import { isDataUrl, readDataUrl, readInlineData, unreadable, unsupported } from './kit/media.js'
import { tell } from './kit/messages.js'
import type { RequestBuilder } from './kit/request-builder.js'
import type { RequestWalker } from './kit/request-walker.js'

const SPEAKERS = new Set<unknown>(['user', 'assistant', 'system'])
const IMAGES = new Set<unknown>(['png', 'jpeg', 'gif', 'webp'])
const TEXTS = new Set<unknown>(['txt', 'md', 'csv', 'html'])
const MAX_NESTING = 8

/** Throws `unreadable_request` for messages that are no list of objects with known roles. */
export function readConversation(messages: unknown, walker: RequestWalker, builder: RequestBuilder): void {
  if (messages === undefined || messages === null) return
  for (const message of listOf(messages, '`messages`')) {
    if (!isObject(message) || !SPEAKERS.has(message.role))
      throw unreadable('A message has no role, or one this guard does not know')
    const human = message.role === 'user'
    const said = new Content(human)
    for (const [key, value] of Object.entries(message)) {
      if (key === 'content') readBlocks({ walker, said, human, depth: 0 }, value)
      else if (key !== 'role') walker.read(value, said, { key })
    }
    tell(builder, message.role as 'user' | 'assistant' | 'system', said)
  }
}

export function readSystem(system: unknown, walker: RequestWalker, builder: RequestBuilder): void {
  if (system === undefined || system === null) return
  const said = new Content(false)
  readBlocks({ walker, said, human: false, depth: 0 }, system)
  tell(builder, 'system', said)
}

interface Reading {
  readonly walker: RequestWalker
  readonly said: Content
  readonly human: boolean
  readonly depth: number
}

function readBlocks(reading: Reading, blocks: unknown): void {
  if (reading.depth > MAX_NESTING) throw unreadable(`Content is nested deeper than ${MAX_NESTING} levels`)
  for (const block of listOf(blocks, 'The content of a message')) {
    if (!isObject(block)) throw unreadable('A content block is not an object')
    for (const [kind, value] of Object.entries(block)) readBlock(reading, kind, value)
  }
}

function readBlock(reading: Reading, kind: string, value: unknown): void {
  const { walker, said } = reading
  switch (kind) {
    case 'text':
      return readWords(said, value)
    case 'image':
      return readImage(reading, objectOf(value))
    case 'document':
      return readDocument(reading, objectOf(value))
    case 'video':
    case 'audio':
      throw unsupported('audio or video')
    case 'toolUse':
      said.breakOff()
      return walker.read(value, said, { json: true })
    case 'toolResult':
    case 'searchResult':
    case 'citationsContent':
      return readNested(reading, objectOf(value), kind !== 'toolResult' && reading.human)
    case 'guardContent':
      return readGuardContent(reading, objectOf(value))
    case 'reasoningContent':
      return readReasoning(reading, objectOf(value))
    default:
      said.breakOff()
      walker.read({ [kind]: value }, said, { json: true })
  }
}

function readWords(said: Content, words: unknown): void {
  if (typeof words !== 'string') throw unreadable('The text of a content block is not text')
  if (isDataUrl(words)) readDataUrl(words, said)
  else said.say(words)
}

/** Content within content, and what stands beside it. */
function readNested({ walker, said, depth }: Reading, holder: Record<string, unknown>, human: boolean): void {
  const { content, ...rest } = holder
  const inner = new Content(human)
  if (content !== undefined) readBlocks({ walker, said: inner, human, depth: depth + 1 }, content)
  inner.breakOff()
  walker.read(rest, inner, { json: true })
  said.take(inner)
}

function readImage({ walker, said }: Reading, { format, source, ...rest }: Record<string, unknown>): void {
  const [bytes, beside] = onlyOf(source, 'bytes', 'an image that is not in the message itself')
  if (typeof bytes !== 'string' || !IMAGES.has(format)) throw unreadable('An image has no known format, or no data')
  said.breakOff()
  readInlineData(`image/${String(format)}`, bytes, said)
  walker.read([rest, beside], said)
}

function readDocument(reading: Reading, { format, source, ...rest }: Record<string, unknown>): void {
  const { walker, said } = reading
  if (!isObject(source)) throw unreadable('A document has no source')
  said.breakOff()
  if ('text' in source) {
    const [text, beside] = onlyOf(source, 'text', 'a document with two sources')
    readWords(said, text)
    walker.read([beside, { format }], said)
  } else if ('content' in source) {
    const [content, beside] = onlyOf(source, 'content', 'a document with two sources')
    readNested(reading, { content, beside, format }, reading.human)
  } else {
    const [bytes, beside] = onlyOf(source, 'bytes', 'a document that is not in the message itself')
    if (typeof bytes !== 'string') throw unreadable('A document has no data')
    if (!TEXTS.has(format)) throw unsupported('a document that is not plain text')
    readInlineData('text/plain', bytes, said)
    walker.read(beside, said)
  }
  said.breakOff()
  walker.read(rest, said, { json: true })
}

/** The value of the one field that a source has, and what else stands in it. */
function onlyOf(source: unknown, field: string, otherwise: string): readonly [unknown, Record<string, unknown>] {
  if (!isObject(source)) throw unreadable('A block has no source')
  const { [field]: value, ...rest } = source
  if (value === undefined || ['bytes', 'text', 'content', 's3Location', 'url'].some((other) => other in rest))
    throw unsupported(otherwise)
  return [value, rest]
}

function readGuardContent(reading: Reading, { text, image, ...rest }: Record<string, unknown>): void {
  if (text !== undefined) {
    const { text: words, ...beside } = objectOf(text)
    readWords(reading.said, words)
    reading.walker.read(beside, reading.said)
  }
  if (image !== undefined) readImage(reading, objectOf(image))
  reading.walker.read(rest, reading.said)
}

/** Signatures and redacted reasoning are data that only the vendor can read, where they look like such. */
function readReasoning({ walker, said }: Reading, holder: Record<string, unknown>): void {
  const { reasoningText, redactedContent, ...rest } = holder
  said.breakOff()
  walker.read({ anthropic: { redactedData: redactedContent } }, said)
  if (isObject(reasoningText)) {
    const { signature, ...words } = reasoningText
    walker.read(words, said)
    walker.read({ anthropic: { signature } }, said)
  } else walker.read(reasoningText, said)
  walker.read(rest, said)
}

function objectOf(value: unknown): Record<string, unknown> {
  if (!isObject(value)) throw unreadable('A content block is not an object')
  return value
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw unreadable(`${what} is not a list`)
  return value
}
