// Reads messages, in whatever API: who says a message, and every word of it, in whatever field.
import { isObject } from '../../utils/json.js'
import { Content } from './content.js'
import type { RequestBuilder } from './request-builder.js'
import { readContent, readFile } from './parts.js'
import { isShort, type Walker } from './walk.js'

export type Speaker = 'user' | 'tool' | 'assistant' | 'system'

/** Who speaks, by role, and by type where a message has no role. Whom nobody knows is a user. */
const SPEAKERS = new Map<string, Speaker>([
  ...['user', 'human', 'humanmessage', 'humanmessagechunk'].map((name) => [name, 'user'] as const),
  ...['assistant', 'ai', 'bot', 'model', 'aimessage', 'aimessagechunk'].map((name) => [name, 'assistant'] as const),
  ...['system', 'developer', 'systemmessage'].map((name) => [name, 'system'] as const),
  ...['tool', 'function', 'toolmessage', 'functionmessage'].map((name) => [name, 'tool'] as const),
  // AG-UI.
  ...['reasoning', 'activity'].map((name) => [name, 'assistant'] as const),
])
/** Items of OpenAI's Responses, which have a type in place of a role. */
const AGENT_ITEM = /_call$|^(?:reasoning|compaction|compaction_trigger|program|mcp_list_tools|mcp_approval_request)$/
const TOOL_ITEM = /_output$|^mcp_approval_response$/
const CONTENT = new Set(['content', 'parts'])

export function speakerOf(name: unknown): Speaker | undefined {
  return typeof name === 'string' && name.length <= 32 ? SPEAKERS.get(name.trim().toLowerCase()) : undefined
}

/** The speaker that a message names. Servers in Go and .NET read `Role` too, so two that differ count as a user. */
function speakerIn(message: Readonly<Record<string, unknown>>): Speaker {
  const { type, author } = message
  const roles = Object.keys(message).filter((key) => key.length === 4 && key.toLowerCase() === 'role')
  if (roles.length > 1) return 'user'
  const named = roles.length === 1 ? message[roles[0]!] : isObject(author) ? author.role : author
  if (typeof named === 'string') return speakerOf(named) ?? 'user'
  if (typeof type !== 'string') return 'user'
  if (type === 'additional_tools') return 'system'
  return AGENT_ITEM.test(type) ? 'assistant' : TOOL_ITEM.test(type) ? 'tool' : (speakerOf(type) ?? 'user')
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
  if (item.type === 'image_generation_call') {
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
  return list.length > 0 && list.every((part) => isObject(part) && /^(?:input_|computer_s)/.test(String(part.type)))
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
