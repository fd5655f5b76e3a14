// Reads the content of one message, in whatever API: a text, or a list of parts. A part is known by its `type`, or by
// the field it has. A part of an unknown kind is judged as text.
import { isObject } from '../../utils/json.js'
import { Content } from './content.js'
import { isDataUrl, readDataUrl, readMedia, unsupported } from './media.js'
import type { Walker } from './walk.js'

type Part = Readonly<Record<string, unknown>>

/** The field that holds the words of a part, by type. */
const TEXT_PARTS = new Map<unknown, string>([
  ...['text', 'input_text', 'output_text', 'summary_text', 'reasoning_text'].map((type) => [type, 'text'] as const),
  ['refusal', 'refusal'],
])
const IMAGE_TYPES = new Set<unknown>(['image_url', 'input_image', 'image', 'computer_screenshot'])
const FILE_TYPES = new Set<unknown>(['file', 'input_file', 'binary', 'image_file'])
const UNSEEN_TYPES = /^(?:(?:input_)?(?:audio|video)(?:_url)?|container_upload)$/
/** Kinds of parts that are named by the field they have, as with Bedrock and Gemini. */
const IMAGE_KEYS = new Set(['image', 'inlineData', 'inline_data'])
const UNSEEN_KEYS = new Set(['video', 'audio', 'fileData', 'file_data'])
/** What a tool answered is no human's word; what was searched for a human is. */
const RESULT = /(?:^|_)tool_result$|^tool-result$|^search_result$/
const RESULT_KEYS = new Set(
  ['toolResult', 'searchResult', 'citationsContent', 'functionResponse', 'function_response', 'toolResponse'].concat(
    'codeExecutionResult',
    'code_execution_result',
  ),
)
const SEARCH = /^(?:search_?result|citationsContent)$/i
/** Fields with parts of their own. */
const NESTED = new Set(['content', 'parts', 'guardContent'])
const MAX_NESTING = 16

/** `human` is true when the words are a human's own. */
export function readContent(walker: Walker, content: unknown, human = true, depth = 0): Content {
  const read = new Content(human)
  const reading = { walker, read, human, depth }
  if (depth > MAX_NESTING) walker.read(content, read, { json: true })
  else for (const part of Array.isArray(content) ? (content as unknown[]) : [content]) readPart(reading, part)
  return read
}

interface Reading {
  readonly walker: Walker
  readonly read: Content
  readonly human: boolean
  readonly depth: number
}

function readPart(reading: Reading, part: unknown): void {
  const { walker, read, human, depth } = reading
  if (typeof part === 'string') return say(read, part)
  if (Array.isArray(part)) return read.take(readContent(walker, part, human, depth + 1))
  if (!isObject(part)) return
  const { type } = part
  if (type === undefined || TEXT_PARTS.has(type)) return readFields(reading, part, TEXT_PARTS.get(type) ?? 'text')
  if (IMAGE_TYPES.has(type)) return readFile(reading, part, 'image')
  if (FILE_TYPES.has(type) || isFile(part)) return readFile(reading, part, 'file')
  if (typeof type === 'string' && UNSEEN_TYPES.test(type)) throw unsupported('audio, video or a file')
  if (type === 'document' && isObject(part.source)) return readDocument(reading, part)
  if (typeof type === 'string' && RESULT.test(type)) return readResult(reading, part, SEARCH.test(type))
  read.breakOff()
  walker.read(part, read, { json: true })
}

/** A text is replaced by what it holds when it is a data URL. */
function say(read: Content, words: string): void {
  if (isDataUrl(words)) readDataUrl(words, read)
  else read.say(words)
}

/** A part with words, or one that is named by its field. */
function readFields(reading: Reading, part: Part, words: string): void {
  const { walker, read, human, depth } = reading
  for (const [key, value] of Object.entries(part)) {
    if (key === words && typeof value === 'string' && part.thought !== true) say(read, value)
    // Mistral and Cohere allow parts in place of a part's text.
    else if ((key === words && Array.isArray(value)) || (NESTED.has(key) && typeof value === 'object'))
      read.take(readContent(walker, value, human, depth + 1))
    else if (IMAGE_KEYS.has(key) && isObject(value)) readFile(reading, value, key === 'image' ? 'image' : 'file')
    else if (UNSEEN_KEYS.has(key) && isObject(value)) throw unsupported('audio, video or a file')
    else if (key === 'document' && isObject(value) && isObject(value.source)) readDocument(reading, value)
    else if (RESULT_KEYS.has(key) && isObject(value)) readResult(reading, value, SEARCH.test(key))
    else {
      if (key !== 'text' && typeof value === 'object') read.breakOff()
      walker.read(value, read, { key, json: true })
    }
  }
}

/** What a tool answered: parts, or an object that a model reads as JSON. */
function readResult({ walker, read, human, depth }: Reading, part: Part, ofSearch: boolean): void {
  const { content, parts, ...rest } = part
  const inner = new Content(human && ofSearch)
  for (const list of [content, parts])
    if (isObject(list)) walker.read(list, inner, { json: true })
    else inner.take(readContent(walker, list, human && ofSearch, depth + 1))
  inner.breakOff()
  walker.read(rest, inner, { json: true })
  read.take(inner)
}

function readDocument(reading: Reading, part: Part): void {
  const { walker, read, human, depth } = reading
  const { source, ...rest } = part as Part & { source: Part }
  const { content, text, ...data } = source
  read.breakOff()
  read.take(
    readContent(
      walker,
      [text, content].filter((value) => value !== undefined),
      human,
      depth + 1,
    ),
  )
  if (content === undefined && text === undefined) readFile(reading, { format: part.format, ...data }, 'file')
  else walker.read(data, read)
  read.breakOff()
  walker.read(rest, read, { json: true })
}

/** A part with a media type and data. */
function isFile(part: Part): boolean {
  const resource = isObject(part.resource) ? part.resource : part
  return typeof resource.blob === 'string' || (part.type === 'image_generation_call' && typeof part.result === 'string')
}

/** @throws LlamaGuardError `unsupported_content` for a file that is elsewhere, or that no guard sees. */
export function readFile({ walker, read }: Pick<Reading, 'walker' | 'read'>, part: Part, kind: 'image' | 'file'): void {
  if (kind === 'file') read.breakOff()
  readMedia(
    part,
    read,
    (rest) => walker.read(rest, read, { json: true }),
    part.type === 'image_generation_call' ? 'image' : kind,
  )
}
