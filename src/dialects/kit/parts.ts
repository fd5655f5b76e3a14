// Reads the content of one message: a string, or a list of typed parts as OpenAI, Anthropic and the AI SDK define
// them. An unknown kind of part is an error and never an empty text.
import { isObject } from '../../utils/json.js'
import { Content } from './content.js'
import { isDataUrl, readDataUrl, readHolder, readInlineData, unreadable, unsupported } from './media.js'
import type { RequestWalker } from './request-walker.js'

/** The field that must hold the words of a part, by type. Its other fields are judged too. */
const TEXT_PARTS = new Map([
  ['text', 'text'],
  ['input_text', 'text'],
  ['output_text', 'text'],
  ['summary_text', 'text'],
  ['reasoning_text', 'text'],
  ['refusal', 'refusal'],
])
/** Kinds of parts in which every string is judged. */
const OTHER_PARTS = new Set([
  'thinking',
  'redacted_thinking',
  'reasoning',
  'tool_reference',
  'tool_use',
  'server_tool_use',
  'mcp_tool_use',
  'tool_call',
  'function',
  'tool-call',
  'tool-invocation',
  'dynamic-tool',
  'source',
  'source-url',
  'source-document',
  'step-start',
])
const IMAGE_PARTS = new Set(['image_url', 'input_image', 'image'])
const FILE_PARTS = new Set(['file', 'input_file'])
const MEDIA_PARTS = new Set([
  'input_audio',
  'audio',
  'audio_url',
  'video',
  'video_url',
  'input_video',
  'container_upload',
  'computer_screenshot',
])
const RESULT_PARTS = /^(?:tool_result|mcp_tool_result|search_result|tool-result|[a-z_]{1,40}_tool_result)$/
/** Results of tools that the vendor runs have types of their own. */
const SERVER_RESULTS = /^[a-z_]{1,40}_tool_result$/
const MAX_NESTING = 16

/** With `lenient`, a part of an unknown kind is read string by string, because apps have kinds of their own. */
export function readContent(walker: RequestWalker, content: unknown, human = true, lenient = false): Content {
  return readNested(walker, content, human, lenient, 0)
}

function readNested(walker: RequestWalker, content: unknown, human: boolean, lenient: boolean, depth: number): Content {
  const read = new Content(human)
  if (content === undefined || content === null) return read
  if (typeof content === 'string') readWords(content, read)
  else if (!Array.isArray(content)) throw unreadable('The content of a message is neither text nor a list of parts')
  else if (depth > MAX_NESTING) throw unreadable(`Content parts are nested deeper than ${MAX_NESTING} levels`)
  else for (const part of content as unknown[]) readPart({ walker, read, human, lenient, depth }, part)
  return read
}

interface Reading {
  readonly walker: RequestWalker
  readonly read: Content
  readonly human: boolean
  readonly lenient: boolean
  readonly depth: number
}

/** A text that is a data URL is replaced by what it holds. */
function readWords(words: string, read: Content): void {
  if (isDataUrl(words)) readDataUrl(words, read)
  else read.say(words)
}

function readPart(reading: Reading, part: unknown): void {
  const { walker, read, lenient } = reading
  if (typeof part === 'string') return readWords(part, read)
  if (!isObject(part) || typeof part.type !== 'string') {
    if (!lenient || part === null || typeof part !== 'object')
      throw unreadable('A content part is not an object with a type')
    return readBlock(reading, part)
  }
  const { type } = part
  const words = TEXT_PARTS.get(type)
  if (words !== undefined) return readText(reading, part, words)
  if (IMAGE_PARTS.has(type)) return walker.read(readHolder(part, read), read, { json: true })
  if (FILE_PARTS.has(type)) return readFile(reading, part)
  if (type === 'document') return readDocument(reading, part)
  if (RESULT_PARTS.test(type)) return readResult(reading, part)
  if (MEDIA_PARTS.has(type)) throw unsupported('audio, video or a file')
  if (OTHER_PARTS.has(type) || lenient) return readBlock(reading, part)
  throw unreadable('A content part has a type this guard does not know')
}

function readBlock({ walker, read }: Reading, part: object): void {
  read.breakOff()
  walker.read(part, read, { json: true })
}

function readText(
  { walker, read, human, lenient, depth }: Reading,
  part: Record<string, unknown>,
  field: string,
): void {
  const { [field]: words, ...rest } = part
  // Mistral and Cohere allow parts in place of a part's text.
  if (Array.isArray(words)) read.take(readNested(walker, words, human, lenient, depth + 1))
  else if (typeof words === 'string') readWords(words, read)
  else throw unreadable('A text part carries no text')
  walker.read(rest, read, { json: true })
}

/** Reads a result: its parts when it has a list of them, otherwise all of its strings. */
function readResult(reading: Reading, part: Record<string, unknown>): void {
  const { walker, read, human, lenient, depth } = reading
  const { content, ...rest } = part
  const type = String(part.type)
  const mine = type === 'search_result' && human
  const inner = new Content(mine)
  if (isObject(content)) walker.read(content, inner, { json: true })
  else inner.take(readNested(walker, content, mine, lenient || SERVER_RESULTS.test(type), depth + 1))
  inner.breakOff()
  walker.read(rest, inner, { json: true })
  read.take(inner)
}

function readDocument({ walker, read, human, lenient, depth }: Reading, part: Record<string, unknown>): void {
  const { source, ...rest } = part
  if (!isObject(source)) throw unreadable('A document part has no source')
  read.breakOff()
  if (source.type === 'text') {
    const { data, ...beside } = source
    if (typeof data !== 'string') throw unreadable('A document part carries no text')
    read.text(data)
    walker.read(beside, read)
  } else if (source.type === 'content') {
    const { content, ...beside } = source
    read.take(readNested(walker, content, human, lenient, depth + 1))
    walker.read(beside, read)
  } else throw unsupported('a document that is not plain text')
  walker.read(rest, read, { json: true })
}

/**
 * Reads a file of text or an image that the part contains. A reference to a file elsewhere cannot be judged and is
 * refused.
 */
function readFile({ walker, read }: Reading, part: Record<string, unknown>): void {
  const holder = isObject(part.file) ? part.file : part
  const data = [holder.file_data, holder.data, holder.url].filter((value) => value !== undefined && value !== null)
  const [only] = data
  const type = holder.mediaType ?? holder.mimeType ?? holder.media_type ?? holder.contentType
  if (data.length > 1) throw unreadable('A file part holds two files')
  if (typeof only !== 'string' || (holder.file_id ?? holder.file_url) !== undefined)
    throw unsupported('a file that is not in the message itself')
  read.breakOff()
  if (isDataUrl(only)) readDataUrl(only, read)
  else if (typeof type !== 'string') throw unsupported('a file of an unknown type')
  else if (!/^https?:/i.test(only)) readInlineData(type, only, read)
  else if (/^image\/(?!svg)/i.test(type)) read.picture({ url: only })
  else throw unsupported('a file that is not in the message itself')
  const rest = { ...holder, file_data: undefined, data: undefined, url: undefined }
  walker.read(holder === part ? rest : { ...part, file: rest }, read)
}

/** Reads files beside the content, as the AI SDK attaches them: `{name, contentType, url}`. */
export function readAttachments(walker: RequestWalker, list: unknown, read: Content): void {
  if (list === null || list === undefined) return
  if (!Array.isArray(list)) throw unreadable('The attachments of a message are not a list')
  for (const item of list as unknown[]) {
    if (!isObject(item)) throw unreadable('An attachment is not an object')
    readFile({ walker, read, human: true, lenient: false, depth: 0 }, item)
  }
}
