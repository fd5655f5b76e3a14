// Reads a `messages` list: who speaks, and every word of each message, whatever field it stands in.
// Chat Completions, Anthropic and Ollama share it; roles are never guessed.
import { type Content, readContent, unreadable } from './content.js'
import { isObject } from '../../utils/json.js'
import { type TextWalker } from './text-walker.js'
import type { RequestBuilder } from './request-builder.js'

type Speaker = 'user' | 'tool' | 'assistant' | 'system'

const ROLES = new Map<unknown, Speaker>([
  ['user', 'user'],
  ['tool', 'tool'],
  ['function', 'tool'],
  ['assistant', 'assistant'],
  ['system', 'system'],
  ['developer', 'system'],
])

/** What a dialect reads in a message besides `content`, for example Ollama's `images`. */
export type FieldReader = (key: string, value: unknown, content: Content) => boolean

/** Throws `unreadable_request` for anything but a non-empty list of messages with known roles. */
export function readMessages(
  messages: unknown,
  walker: TextWalker,
  builder: RequestBuilder,
  field?: FieldReader,
): void {
  if (!Array.isArray(messages) || messages.length === 0)
    throw unreadable('`messages` is not a list with at least one message')
  for (const message of messages as readonly unknown[]) readMessage(message, walker, builder, field)
}

export function readMessage(message: unknown, walker: TextWalker, builder: RequestBuilder, field?: FieldReader): void {
  if (!isObject(message)) throw unreadable('A message is not an object')
  const speaker = ROLES.get(message.role)
  if (speaker === undefined) throw unreadable('A message has no role, or one this guard does not know')
  const content: Content = { pieces: [], images: [], human: false }
  for (const key of Object.keys(message)) {
    const value = message[key]
    if (key === 'role' || field?.(key, value, content) === true) continue
    if (key === 'content') take(content, readContent(walker, value, speaker === 'user'))
    else if (key !== 'name' || typeof value !== 'string' || !builder.nameMayStayUnjudged(value))
      readField(key, value, walker, content, speaker === 'user')
  }
  tell(builder, speaker, content)
}

/** Puts what was read on the speaker's side. */
export function tell(builder: RequestBuilder, speaker: Speaker, { pieces, images, human }: Content): void {
  const text = pieces.join('\n')
  if (speaker === 'system') {
    builder.system(text)
    // Images have no place in system text; the guard must still see them.
    if (images.length > 0) builder.say({ role: 'User', text: '', images, human: true })
    return
  }
  builder.say({ role: speaker === 'assistant' ? 'Agent' : 'User', text, images, human: human && speaker === 'user' })
}

function readField(key: string, value: unknown, walker: TextWalker, content: Content, human: boolean): void {
  walker.walk({ [key]: value }, (_path, text) => {
    content.pieces.push(text)
    content.human ||= human
  })
}

function take(into: Content, from: Content): void {
  for (const piece of from.pieces) into.pieces.push(piece)
  if (from.images.length > 0) into.images.push(...from.images)
  into.human ||= from.human
}
