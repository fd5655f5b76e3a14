// Reads the content of one message: a string, or a list of typed parts as OpenAI and Anthropic define them.
// A part of a kind we do not know is an error, never an empty text.
import { LlamaGuardError } from '../../errors.js'
import type { Image } from '../../types.js'
import { isObject } from '../../utils/json.js'
import { type TextWalker } from './text-walker.js'

export interface Content {
  readonly pieces: string[]
  readonly images: Image[]
  /** True when something in it is not a tool's result. */
  human: boolean
}

/** Field that must hold the words of a part, by type. Its other fields are judged too. */
const TEXT_PARTS = new Map([
  ['text', 'text'],
  ['input_text', 'text'],
  ['output_text', 'text'],
  ['summary_text', 'text'],
  ['reasoning_text', 'text'],
  ['refusal', 'refusal'],
  ['thinking', 'thinking'],
  ['redacted_thinking', 'data'],
  ['tool_reference', 'tool_name'],
])
const CALL_PARTS = new Set(['tool_use', 'server_tool_use', 'mcp_tool_use', 'tool_call', 'function'])
const IMAGE_PARTS = new Set(['image_url', 'input_image', 'image'])
const MEDIA_PARTS = new Set([
  'input_audio',
  'audio',
  'audio_url',
  'file',
  'input_file',
  'video',
  'video_url',
  'input_video',
  'container_upload',
  'computer_screenshot',
])
const RESULT_PARTS = /^(?:tool_result|mcp_tool_result|search_result|[a-z_]{1,40}_tool_result)$/
const MAX_NESTING = 16

export function readContent(walker: TextWalker, content: unknown, human = true, depth = 0): Content {
  const read: Content = { pieces: [], images: [], human: false }
  if (content === undefined || content === null) return read
  if (typeof content === 'string') add(read, content, human)
  else if (!Array.isArray(content)) throw unreadable('The content of a message is neither text nor a list of parts')
  else if (depth > MAX_NESTING) throw unreadable(`Content parts are nested deeper than ${MAX_NESTING} levels`)
  else for (const part of content as unknown[]) readPart(walker, part, read, human, depth)
  return read
}

function readPart(walker: TextWalker, part: unknown, read: Content, human: boolean, depth: number): void {
  if (typeof part === 'string') return add(read, part, human)
  if (!isObject(part) || typeof part.type !== 'string') throw unreadable('A content part is not an object with a type')
  const { type } = part
  const words = TEXT_PARTS.get(type)
  if (words !== undefined) return readText(walker, part, words, read, human, depth)
  if (IMAGE_PARTS.has(type)) return readImage(walker, part, read, human)
  if (CALL_PARTS.has(type)) return walkInto(walker, part, read, false)
  if (type === 'document') return readDocument(walker, part, read, human, depth)
  if (RESULT_PARTS.test(type)) return readNested(walker, part, read, type === 'search_result' && human, depth)
  if (MEDIA_PARTS.has(type)) throw unsupported('audio, video or a file')
  throw unreadable('A content part has a type this guard does not know')
}

function readText(
  walker: TextWalker,
  part: Record<string, unknown>,
  field: string,
  read: Content,
  human: boolean,
  depth: number,
): void {
  const words = part[field]
  if (Array.isArray(words)) {
    const { [field]: _, ...rest } = part
    merge(read, readContent(walker, words, human, depth + 1))
    return walkInto(walker, rest, read, human)
  }
  if (typeof words !== 'string') throw unreadable('A text part carries no text')
  walkInto(walker, part, read, human)
}

/** A result: its own parts where it has a list of them, all of its strings otherwise. */
function readNested(
  walker: TextWalker,
  part: Record<string, unknown>,
  read: Content,
  human: boolean,
  depth: number,
): void {
  const { content, ...rest } = part
  if (isObject(content)) walkInto(walker, content, read, human)
  else merge(read, readContent(walker, content, human, depth + 1))
  walkInto(walker, rest, read, human)
}

function readDocument(
  walker: TextWalker,
  part: Record<string, unknown>,
  read: Content,
  human: boolean,
  depth: number,
): void {
  const { source, ...rest } = part
  if (!isObject(source)) throw unreadable('A document part has no source')
  if (source.type === 'text') walkInto(walker, source, read, human)
  else if (source.type === 'content') merge(read, readContent(walker, source.content, human, depth + 1))
  else throw unsupported('a document that is not plain text')
  walkInto(walker, rest, read, human)
}

function readImage(walker: TextWalker, part: Record<string, unknown>, read: Content, human: boolean): void {
  const { image_url: imageUrl, source, ...rest } = part
  const holder = isObject(imageUrl) ? imageUrl : isObject(source) ? source : { url: imageUrl ?? part.image ?? part.url }
  const { url, data, ...details } = holder
  if (typeof data === 'string' && typeof holder.media_type === 'string')
    read.images.push({ url: checked(`data:${holder.media_type};base64,${data}`) })
  else if (typeof url === 'string') read.images.push({ url: checked(url) })
  else throw unsupported('an image that is neither a URL nor inline data')
  read.human ||= human
  walkInto(walker, { ...rest, image: undefined, url: undefined, details }, read, human)
}

function checked(url: string): string {
  if (!/^(?:https?:\/\/|data:image\/[\w.+-]{1,40};base64,)/i.test(url))
    throw unreadable('An image is neither an http(s) URL nor base64 image data')
  return url
}

function walkInto(walker: TextWalker, value: unknown, read: Content, human: boolean): void {
  walker.walk(value, (_path, text) => add(read, text, human))
}

function add(read: Content, text: string, human: boolean): void {
  if (text === '') return
  read.pieces.push(text)
  read.human ||= human
}

function merge(read: Content, more: Content): void {
  for (const piece of more.pieces) read.pieces.push(piece)
  read.images.push(...more.images)
  read.human ||= more.human
}

export function unreadable(what: string): LlamaGuardError {
  return new LlamaGuardError('unreadable_request', `${what}; send what the API's reference describes.`)
}

function unsupported(what: string): LlamaGuardError {
  return new LlamaGuardError(
    'unsupported_content',
    `A message carries ${what}, which the guard cannot judge; send text or images.`,
  )
}
