// What a request to Gemini says: contents of parts, and the instruction of the system. Google's APIs take names in
// camelCase and in snake_case, and one item where the reference has a list.
import { isObject } from '../utils/json.js'
import { Content } from './kit/content.js'
import { isDataUrl, readDataUrl, readInlineData, unreadable, unsupported } from './kit/media.js'
import { tell } from './kit/messages.js'
import type { RequestBuilder } from './kit/request-builder.js'
import type { RequestWalker } from './kit/request-walker.js'

/** A role may be left out: the words are then the user's. */
const SPEAKERS = new Map<unknown, 'user' | 'assistant' | 'tool' | 'system'>([
  [undefined, 'user'],
  [null, 'user'],
  ['', 'user'],
  ['user', 'user'],
  ['model', 'assistant'],
  ['function', 'tool'],
  ['tool', 'tool'],
  ['system', 'system'],
])
const MAX_NESTING = 4

/** Throws `unreadable_request` for contents that are no list of objects with known roles. */
export function readContents(contents: unknown, walker: RequestWalker, builder: RequestBuilder): void {
  for (const content of listOf(contents)) {
    if (!isObject(content)) throw unreadable('An item of `contents` is not an object')
    const speaker = SPEAKERS.get(content.role)
    if (speaker === undefined) throw unreadable('An item of `contents` has a role this guard does not know')
    tell(builder, speaker, readContent(walker, content, speaker === 'user'))
  }
}

export function readInstruction(instruction: unknown, walker: RequestWalker, builder: RequestBuilder): void {
  if (instruction === undefined || instruction === null) return
  if (typeof instruction === 'string') return builder.system(instruction)
  for (const content of listOf(instruction)) {
    if (!isObject(content)) throw unreadable('The system instruction is neither text nor an object with parts')
    // A part alone is taken for a content by Google's own clients.
    tell(builder, 'system', readContent(walker, 'parts' in content ? content : { parts: [content] }, false))
  }
}

function readContent(walker: RequestWalker, content: Record<string, unknown>, human: boolean): Content {
  const said = new Content(human)
  for (const [key, value] of Object.entries(content)) {
    if (key === 'role' && SPEAKERS.has(value)) continue
    if (key === 'parts') readParts({ walker, said, depth: 0 }, value)
    else walker.read(value, said, { key })
  }
  return said
}

interface Reading {
  readonly walker: RequestWalker
  readonly said: Content
  readonly depth: number
}

function readParts(reading: Reading, parts: unknown): void {
  if (reading.depth > MAX_NESTING) throw unreadable(`Parts are nested deeper than ${MAX_NESTING} levels`)
  if (parts === undefined || parts === null) return
  for (const part of listOf(parts)) {
    if (!isObject(part)) throw unreadable('A part is not an object')
    for (const key of Object.keys(part)) readField(reading, part, key)
  }
}

function readField(reading: Reading, part: Record<string, unknown>, key: string): void {
  const { walker, said } = reading
  const value = part[key]
  switch (camelCase(key)) {
    case 'text':
      return readWords(said, value, part.thought === true)
    case 'inlineData':
      return readInline(walker, said, value)
    case 'fileData':
      throw unsupported('a file that is not in the message itself')
    case 'functionResponse':
    case 'codeExecutionResult':
    case 'toolResponse':
      return readResult(reading, value)
    case 'functionCall':
    case 'executableCode':
    case 'toolCall':
      said.breakOff()
      return walker.read(value, said, { json: true })
    case 'thoughtSignature':
      return walker.read({ google: { thoughtSignature: value } }, said)
    default:
      walker.read({ [key]: value }, said, { json: true })
  }
}

/** The words of a thought are not joined to those beside it. */
function readWords(said: Content, words: unknown, thought: boolean): void {
  if (typeof words !== 'string') throw unreadable('The text of a part is not text')
  if (isDataUrl(words)) return readDataUrl(words, said)
  if (!thought) return said.say(words)
  said.breakOff()
  said.text(words)
}

function readInline(walker: RequestWalker, said: Content, holder: unknown): void {
  if (!isObject(holder)) throw unreadable('Inline data is not an object')
  const { mimeType, mime_type: alias, data, ...rest } = holder
  if (mimeType !== undefined && alias !== undefined) throw unreadable('Inline data has two types')
  const type = mimeType ?? alias
  if (typeof type !== 'string' || typeof data !== 'string') throw unreadable('Inline data has no type or no data')
  said.breakOff()
  readInlineData(type, data, said)
  walker.read(rest, said)
}

/** What a tool answered. It is judged as the JSON text that a model reads. */
function readResult({ walker, said, depth }: Reading, result: unknown): void {
  if (!isObject(result)) throw unreadable('The result of a tool is not an object')
  const { response, parts, ...rest } = result
  const inner = new Content(false)
  walker.read(rest, inner, { json: true })
  walker.read({ output: response }, inner, { json: true })
  readParts({ walker, said: inner, depth: depth + 1 }, parts)
  said.take(inner)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

function camelCase(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
