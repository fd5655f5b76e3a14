// Reads a `messages` list: the speaker and every word of each message, in whatever field. Chat Completions, Anthropic
// and Ollama use it. Roles are never guessed.
import { isObject } from '../../utils/json.js'
import { Content } from './content.js'
import { unreadable } from './media.js'
import { readAttachments, readContent } from './parts.js'
import type { RequestBuilder } from './request-builder.js'
import type { RequestWalker } from './request-walker.js'

type Speaker = 'user' | 'tool' | 'assistant' | 'system'

const ROLES = new Map<unknown, Speaker>([
  ['user', 'user'],
  ['tool', 'tool'],
  ['function', 'tool'],
  ['assistant', 'assistant'],
  ['system', 'system'],
  ['developer', 'system'],
])
/** Fields whose objects are what a tool was called with. */
const CALLS = new Set(['tool_calls', 'toolCalls', 'function_call', 'toolInvocations'])

/** @throws LlamaGuardError `unreadable_request` for anything but a non-empty list of messages with known roles. */
export function readMessages(messages: unknown, walker: RequestWalker, builder: RequestBuilder): void {
  if (!Array.isArray(messages) || messages.length === 0)
    throw unreadable('`messages` is not a list with at least one message')
  for (const message of messages as readonly unknown[]) readMessage(message, walker, builder)
}

export function readMessage(message: unknown, walker: RequestWalker, builder: RequestBuilder): void {
  if (!isObject(message)) throw unreadable('A message is not an object')
  const speaker = ROLES.get(message.role)
  if (speaker === undefined) throw unreadable('A message has no role, or one this guard does not know')
  const human = speaker === 'user'
  const said = new Content(human)
  for (const key of Object.keys(message)) {
    const value = message[key]
    if (key === 'role') continue
    if (key === 'content') said.take(readContent(walker, value, human))
    else if (key === 'parts' && Array.isArray(value)) readParts(walker, message, said, human)
    else if (key === 'experimental_attachments') readAttachments(walker, value, said)
    else walker.read(value, said, { key, json: CALLS.has(key) })
  }
  tell(builder, speaker, said)
}

/** The AI SDK repeats the `content` in `parts`. When both are the same, the text is judged once. */
function readParts(
  walker: RequestWalker,
  { content, parts }: Record<string, unknown>,
  said: Content,
  human: boolean,
): void {
  const read = readContent(walker, parts, human, true)
  if (typeof content === 'string' && read.images.length === 0 && read.toString() === content) return
  said.take(read)
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
