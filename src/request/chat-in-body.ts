// Recognises the chat in a body that has been read: by the fields of an API, or by a list of messages inside it.
import type { ChatRequest, Dialect } from '../dialects/dialect.js'
import { stringsOf } from '../dialects/kit/walk.js'
import { LlamaGuardError, toLlamaGuardError } from '../errors.js'
import type { Image } from '../types.js'
import { isObject } from '../utils/json.js'
import type { Read } from './body/parse.js'
import { looksLikeChat } from './body/read-stream.js'
import type { DialectsInUse } from './choose-dialect.js'
import { findChat, type Outside } from './evidence.js'
import { spellsChat } from './form.js'
import type { RecognisedChat } from './recognised.js'

/** A chat that has been found, in the form that its dialect reads, and what is outside of it. */
interface Found {
  readonly dialect: Dialect
  readonly chat: Record<string, unknown>
  readonly outside: readonly Outside[]
}

/**
 * Undefined for a body that is no chat.
 * @throws LlamaGuardError with a 4xx code for a chat that parsers read differently, or that holds what no guard sees.
 */
export function chatInBody(read: Read, known: Dialect | undefined, inUse: DialectsInUse): RecognisedChat | undefined {
  const { value, hidden, fault } = read
  const found = foundIn(value, known, inUse)
  if (fault !== undefined && (found !== undefined || hides(hidden, known, inUse))) throw fault
  if (found === undefined) return undefined
  const { dialect, chat, outside } = found
  try {
    const request = dialect.request(chat)
    const body = value as Record<string, unknown>
    return { kind: 'chat', dialect, body, request: withOutside(request, outside) }
  } catch (error) {
    throw toClientError(error)
  }
}

function foundIn(value: unknown, known: Dialect | undefined, inUse: DialectsInUse): Found | undefined {
  const batch = Array.isArray(value) ? inUse.ofBatch(value) : undefined
  if (batch !== undefined) return { dialect: batch, chat: value as Record<string, unknown>, outside: [] }
  for (const holder of Array.isArray(value) ? (value as unknown[]) : [value]) {
    const dialect = isObject(holder) ? inUse.claimant(known, holder) : undefined
    if (dialect !== undefined)
      return { dialect, chat: holder as Record<string, unknown>, outside: [{ value, without: holder }] }
  }
  const found = findChat(value)
  return found && { ...found, dialect: inUse.ofChat(known, found.chat) }
}

/** True when another parser may find a chat in this. */
function hides(hidden: unknown, known: Dialect | undefined, inUse: DialectsInUse): boolean {
  return typeof hidden === 'string' ? looksLikeChat(hidden) : foundIn(hidden, known, inUse) !== undefined
}

/** What stands outside of the chat is judged as one text beside it. */
function withOutside(request: ChatRequest, outside: readonly Outside[]): ChatRequest {
  const texts: string[] = []
  const images: Image[] = []
  const sink = { text: (text: string) => void texts.push(text), picture: (image: Image) => void images.push(image) }
  for (const { value, without } of outside) if (value !== without) stringsOf(value, sink, without)
  const said = withTexts(request, texts)
  if (images.length === 0) return said
  const { turns, userTurns } = said
  return {
    ...said,
    turns: [{ role: 'User', text: '', images }, ...turns],
    userTurns: userTurns.map((turn) => turn + 1),
  }
}

/** Texts that are no conversation, with those that the request has. */
export function withTexts(request: ChatRequest, texts: readonly string[]): ChatRequest {
  return texts.length === 0 ? request : { ...request, extras: [[...request.extras, ...texts].join('\n')] }
}

/** True for a form that holds a chat, which only some parsers make of its names. */
export function formIsChat(value: unknown): boolean {
  const fields: readonly unknown[] = Array.isArray(value) ? value : [value]
  return fields.some((each) => isObject(each) && spellsChat(Object.keys(each)))
}

/** A custom dialect may throw anything. A body that it cannot read is the client's fault. */
function toClientError(error: unknown): LlamaGuardError {
  const ours = toLlamaGuardError(error)
  return ours.code === 'internal_error'
    ? new LlamaGuardError('unreadable_request', 'The dialect could not read the body.', { cause: error })
    : ours
}
