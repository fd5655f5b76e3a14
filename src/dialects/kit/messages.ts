// Reads messages, in whatever API: who says a message, and every word of it, in whatever field. Its content is a text,
// or a list of parts, each known by its `type` or by the field it has. A part of an unknown kind is judged as text.
import { isObject, textOf } from '../../utils/json.js'
import { isDataUrl, readDataUrl, readMedia, unsupported } from './media.js'
import { Content, isShort, type RequestBuilder, type Walker } from './request-texts.js'

type Speaker = 'user' | 'tool' | 'assistant' | 'system'

/** Who speaks, by role, and by type where a message has no role. Whom nobody knows is a user. */
const SPEAKERS = new Map<string, Speaker>([
  ...['user', 'human', 'humanmessage', 'humanmessagechunk', 'role_user'].map((name) => [name, 'user'] as const),
  ...['assistant', 'ai', 'bot', 'model', 'aimessage', 'aimessagechunk'].map((name) => [name, 'assistant'] as const),
  ['role_agent', 'assistant'],
  ...['system', 'developer', 'systemmessage'].map((name) => [name, 'system'] as const),
  ...['tool', 'function', 'toolmessage', 'functionmessage'].map((name) => [name, 'tool'] as const),
  // AG-UI.
  ...['reasoning', 'activity'].map((name) => [name, 'assistant'] as const),
])
/** Items of OpenAI's Responses and steps of Gemini's Interactions, which have a type in place of a role. */
const AGENT_ITEM =
  /_call$|^(?:model_output|thought|reasoning|compaction|compaction_trigger|program|mcp_list_tools|mcp_approval_request)$/
const TOOL_ITEM = /_(?:output|result)$|^mcp_approval_response$/
const CONTENT = new Set(['content', 'parts'])

export function speakerOf(name: unknown): Speaker | undefined {
  return typeof name === 'string' && name.length <= 32 ? SPEAKERS.get(name.trim().toLowerCase()) : undefined
}

/** The speaker that a message names. Servers in Go and .NET read `Role` too, so two that differ count as a user. */
function speakerIn(message: Readonly<Record<string, unknown>>): Speaker {
  const { type, author } = message
  const roles = Object.keys(message).filter((key) => key.length === 4 && key.toLowerCase() === 'role')
  if (roles.length > 1 || type === 'user_input') return 'user'
  const named = roles.length === 1 ? message[roles[0]!] : roleIn(author)
  if (typeof named === 'string') return speakerOf(named) ?? 'user'
  if (typeof type !== 'string') return 'user'
  if (type === 'additional_tools') return 'system'
  return AGENT_ITEM.test(type) ? 'assistant' : TOOL_ITEM.test(type) ? 'tool' : (speakerOf(type) ?? 'user')
}

/** Types of LangChain's messages, which have no role. */
const TYPES = /^(?:human|ai|(?:human|ai|system|tool)message(?:chunk)?)$/i

/** An object with a role or an author, and content. Servers in other languages match names in any case. */
export function isMessage(value: unknown): boolean {
  if (!isObject(value)) return false
  let speaks = false
  let known = false
  let says = false
  let text = false
  for (const key of Object.keys(value)) {
    const name = key.length <= 7 ? key.toLowerCase() : ''
    const held = value[key]
    if (name === 'role' || name === 'author') {
      const role = roleIn(held)
      speaks ||= typeof role === 'string'
      known ||= speakerOf(role) !== undefined
    } else if (name === 'type') speaks ||= typeof held === 'string' && TYPES.test(held)
    else if (name === 'content' || name === 'parts')
      says ||= typeof held === 'string' || (typeof held === 'object' && held !== null)
    else if (name === 'text') text ||= typeof held === 'string'
  }
  return (speaks && says) || (known && text)
}

/** A message of a speaker that chats have, and no other record with a role. */
export function isSpoken(message: unknown, names = /^(?:role|author)$/i): boolean {
  if (!isObject(message)) return false
  const speaks = (key: string): boolean => names.test(key) && speakerOf(roleIn(message[key])) !== undefined
  return Object.keys(message).some(speaks) || TYPES.test(textOf(message.type))
}

/** An author may be an object. */
function roleIn(held: unknown): unknown {
  return isObject(held) ? held.role : held
}

/** A list of messages, or one. */
export function readMessages(messages: unknown, walker: Walker, builder: RequestBuilder): void {
  for (const message of Array.isArray(messages) ? (messages as unknown[]) : [messages])
    readMessage(message, walker, builder)
}

function readMessage(message: unknown, walker: Walker, builder: RequestBuilder): void {
  if (message === undefined || message === null) return
  // `["user", "hello"]` of LangChain.
  if (Array.isArray(message) && message.length === 2 && speakerOf(message[0]) !== undefined)
    return readMessage({ role: message[0] as unknown, content: message[1] as unknown }, walker, builder)
  if (!isObject(message)) return tell(builder, 'user', readContent(walker, message))
  const speaker = speakerIn(message)
  const human = speaker === 'user'
  const said = new Content(human)
  if (isItem(message)) return tell(builder, speaker, readItem(message, walker, said))
  for (const key of Object.keys(message)) {
    const value = message[key]
    if ((key === 'role' || key === 'author') && typeof value === 'string' && isShort(value)) continue
    if (CONTENT.has(key)) {
      const read = readContent(walker, value, human)
      // The AI SDK repeats the `content` in `parts`.
      if (key === 'content' || read.images.length > 0 || read.toString() !== message.content) said.take(read)
    } else if (key === 'experimental_attachments' && Array.isArray(value)) {
      for (const file of value as unknown[])
        if (isObject(file)) readFile({ walker, read: said }, file, 'file')
        else walker.read(file, said)
    } else walker.read(value, said, { key, json: true })
  }
  tell(builder, speaker, said)
}

function isItem({ role, author, content, type }: Readonly<Record<string, unknown>>): boolean {
  return role === undefined && author === undefined && content === undefined && typeof type === 'string'
}

/** An item without a role: a call, or what it gave. */
function readItem(item: Record<string, unknown>, walker: Walker, said: Content): Content {
  const { output, ...rest } = item
  if (item.type === 'image_generation_call' || RESULT.test(textOf(item.type))) {
    said.take(readContent(walker, [item], false))
    return said
  }
  if (typeof output === 'string' || isParts(output)) said.take(readContent(walker, output, false))
  else if (output !== undefined) walker.read(output, said, { key: 'output', json: true })
  walker.read(rest, said, { json: true })
  return said
}

/** True for parts like those of messages. Shells and other tools answer with lists of their own. */
function isParts(output: unknown): boolean {
  const list: readonly unknown[] = Array.isArray(output) ? output : [output]
  return list.length > 0 && list.every((part) => isObject(part) && /^(?:input_|computer_s)/.test(textOf(part.type)))
}

/** Adds the content of a message to the turns of its speaker. */
export function tell(builder: RequestBuilder, speaker: Speaker, said: Content): void {
  const text = said.toString()
  const { images, human } = said
  if (speaker === 'system') {
    builder.system(text)
    // System text cannot carry images, but the guard must still see them.
    if (images.length > 0) builder.say({ role: 'User', text: '', images, human: true })
    return
  }
  builder.say({ role: speaker === 'assistant' ? 'Agent' : 'User', text, images, human: human && speaker === 'user' })
}

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
const RESULT = /(?:^|_)result$|^tool-result$/
const RESULT_KEYS =
  /^(?:toolResult|searchResult|citationsContent|functionResponse|function_response|toolResponse|code(?:ExecutionResult|_execution_result))$/
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
  for (const [key, value] of Object.entries(part))
    if (key === words && typeof value === 'string' && part.thought !== true) say(read, value)
    // Mistral and Cohere allow parts in place of a part's text.
    else if ((key === words && Array.isArray(value)) || (NESTED.has(key) && typeof value === 'object'))
      read.take(readContent(walker, value, human, depth + 1))
    else if (IMAGE_KEYS.has(key) && isObject(value)) readFile(reading, value, key === 'image' ? 'image' : 'file')
    else if (UNSEEN_KEYS.has(key) && isObject(value)) throw unsupported('audio, video or a file')
    else if (key === 'document' && isObject(value) && isObject(value.source)) readDocument(reading, value)
    else if (RESULT_KEYS.test(key) && isObject(value)) readResult(reading, value, SEARCH.test(key))
    else {
      if (key !== 'text' && typeof value === 'object') read.breakOff()
      walker.read(value, read, { key, json: true })
    }
}

/** What a tool answered: parts, or an object that a model reads as JSON. */
function readResult({ walker, read, human, depth }: Reading, part: Part, ofSearch: boolean): void {
  const { content, parts, result, ...beside } = part
  const contents = Array.isArray(result) && result.some(isContent)
  const rest = contents || result === undefined ? beside : { result, ...beside }
  const inner = new Content(human && ofSearch)
  for (const list of [content, parts, contents ? result : undefined])
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
  const words = [text, content].filter((value) => value !== undefined)
  read.take(readContent(walker, words, human, depth + 1))
  if (content === undefined && text === undefined) readFile(reading, { format: part.format, ...data }, 'file')
  else walker.read(data, read)
  read.breakOff()
  walker.read(rest, read, { json: true })
}

/** A part in the form of Gemini's Interactions. */
export function isContent(part: unknown): boolean {
  if (!isObject(part)) return false
  if (part.type === 'text') return typeof part.text === 'string'
  const held = part.data ?? part.uri
  return typeof held === 'string' && /^(?:image|audio|video|document)$/.test(textOf(part.type))
}

/** A part with a media type and data. */
function isFile(part: Part): boolean {
  const resource = isObject(part.resource) ? part.resource : part
  if (part.type === 'document' && isContent(part)) return true
  return typeof resource.blob === 'string' || (part.type === 'image_generation_call' && typeof part.result === 'string')
}

/** @throws LlamaGuardError `unsupported_content` for a file that is elsewhere, or that no guard sees. */
export function readFile({ walker, read }: Pick<Reading, 'walker' | 'read'>, part: Part, kind: 'image' | 'file'): void {
  if (kind === 'file') read.breakOff()
  const shown = part.type === 'image_generation_call' ? 'image' : kind
  readMedia(part, read, (rest) => walker.read(rest, read, { json: true }), shown)
}
