// The engine that reads requests. A dialect describes in facts where its conversation stands; everything else in a body
// is read here, the same for every API, and made into turns.
import type { Image } from '../../types.js'
import { isObject } from '../../utils/json.js'
import type { ChatRequest } from '../dialect.js'
import { type Sink, unreadable } from './media.js'
import { readContent, readMessages, tell } from './messages.js'
import { SETTINGS, SYSTEM_FIELDS } from './request-keys.js'
import { Content, RequestBuilder, Walker } from './request-texts.js'

/**
 * How a field of the conversation is read. `messages`: a list of messages or items, or one. `prompt`: a user's text, or
 * a list of texts, never of tokens. `system`: an instruction. `state`: messages, and values beside them that are the
 * user's. `holder`: an object with such fields of its own.
 */
type FieldKind = 'messages' | 'prompt' | 'system' | 'state' | 'holder'

/** What a dialect says of its requests. */
export interface RequestFacts {
  /** The fields in which the conversation stands, in the order in which a model reads them. */
  readonly fields: Readonly<Record<string, FieldKind>>
  /** Whether a stream is wanted. Default: what the field `stream` says. */
  readonly streams?: (body: Readonly<Record<string, unknown>>) => boolean
  /** The field that names the model. Default: `model`. */
  readonly model?: string
}

type Body = Readonly<Record<string, unknown>>

/**
 * What stands in a place of a body. `given`: anything, and `null` too. `value`: anything but `null`. `words`: a text or
 * a list. `json`: an object or a list. A list of one: a list with such an element. An object: one with such fields; a
 * name behind `~` may be in any case.
 */
export type Shape =
  | 'given'
  | 'value'
  | 'text'
  | 'list'
  | 'object'
  | 'words'
  | 'json'
  | RegExp
  | readonly [Shape]
  | { readonly [name: string]: Shape }

/** Claims bodies of one of these shapes. */
export function claiming(...shapes: readonly Shape[]): (body: Body) => boolean {
  return (body) => shapes.some((shape) => fits(body, shape))
}

export function fits(value: unknown, shape: Shape): boolean {
  switch (shape) {
    case 'given':
      return value !== undefined
    case 'value':
      return value !== undefined && value !== null
    case 'text':
      return typeof value === 'string'
    case 'list':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'words':
      return typeof value === 'string' || Array.isArray(value)
    case 'json':
      return isObject(value) || Array.isArray(value)
  }
  if (shape instanceof RegExp) return typeof value === 'string' && shape.test(value)
  if (Array.isArray(shape))
    return Array.isArray(value) && value.some((item) => fits(item, (shape as readonly [Shape])[0]))
  if (!isObject(value)) return false
  const fields = shape as Readonly<Record<string, Shape>>
  return Object.keys(fields).every((name) =>
    name.startsWith('~')
      ? Object.keys(value).some((key) => isNamed(key, name.slice(1)) && fits(value[key], fields[name]!))
      : fits(value[name], fields[name]!),
  )
}

/** Servers in Go read a long s and the sign of Kelvin as letters too. */
function isNamed(key: string, name: string): boolean {
  return key.length === name.length && key.normalize('NFKC').toLowerCase() === name
}

/**
 * Reads a body by the facts of its API.
 * @throws LlamaGuardError for tokens in place of text, and for media that no guard sees.
 */
export function readRequest(facts: RequestFacts, body: Body): ChatRequest {
  const builder = new RequestBuilder()
  const walker = new Walker(body, true, { ids: builder.ids })
  const reading: Reading = { walker, builder, facts }
  readFields(body, reading)
  builder.unseen('binary', walker.sealed)
  builder.unseen('stored-history', storedHistory(body))
  const streams = facts.streams?.(body) ?? body.stream === true
  return builder.build(streams, body[facts.model ?? 'model'])
}

interface Reading {
  readonly walker: Walker
  readonly builder: RequestBuilder
  readonly facts: RequestFacts
}

function readFields(body: Body, reading: Reading): void {
  const { walker, builder, facts } = reading
  refuseTokens(body, facts)
  for (const [key, kind] of Object.entries(facts.fields))
    if (Object.hasOwn(body, key)) readField(kind, body[key], reading)
  const images: Image[] = []
  const picture = (image: Image): void => void images.push(image)
  const system: Sink = { text: (text) => builder.system(text), picture }
  const extra: Sink = { text: (text) => builder.extra(text), picture }
  for (const [key, value] of Object.entries(body)) {
    if (Object.hasOwn(facts.fields, key)) continue
    const sink = isSystem(key, value) ? system : extra
    walker.read({ [key]: value }, sink, { json: sink === system, setting: SETTINGS.has(key) })
  }
  builder.say({ role: 'User', text: '', images, human: true })
}

function readField(kind: FieldKind, value: unknown, reading: Reading): void {
  const { walker, builder } = reading
  switch (kind) {
    case 'messages':
      return typeof value === 'string'
        ? tell(builder, 'user', readContent(walker, value))
        : readMessages(value, walker, builder)
    case 'prompt':
      // Several texts are judged as one, because one request gets one reply.
      for (const text of Array.isArray(value) ? (value as unknown[]) : [value])
        tell(builder, 'user', readContent(walker, text))
      return
    case 'system':
      return tell(builder, 'system', readContent(walker, value, false))
    case 'state':
      return readState(value, reading)
    case 'holder':
      if (isObject(value)) readFields(value, reading)
      else readField('prompt', value, reading)
  }
}

/** The state of a graph. Its messages are said by whom they name, and everything else in it by the user. */
function readState(state: unknown, { walker, builder }: Reading): void {
  const { messages, ...rest } = isObject(state) ? state : { '': state }
  const said = new Content(true)
  for (const [key, value] of Object.entries(rest)) walker.read(value, said, { key })
  tell(builder, 'user', said)
  readMessages(messages, walker, builder)
}

/** The fields in which APIs take tokens for text, in the code of a tokenizer that the guard lacks. */
const TOKENS = ['prompt_token_ids', 'input_ids']

/** @throws LlamaGuardError `unreadable_request` for tokens in place of text. */
export function refuseTokens(body: Body, { fields }: RequestFacts = ANY): void {
  const asks = ['prompt', 'input'].filter((key) => fields[key] === 'prompt' || fields[key] === 'messages')
  if ([...TOKENS, ...asks].some((key) => areTokens(body[key])))
    throw unreadable('The body holds text as a list of numbers, which the guard cannot read')
}

const ANY: RequestFacts = { fields: { prompt: 'prompt', input: 'prompt' } }

function areTokens(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false
  return value.every((item) => Number.isInteger(item) || areTokens(item))
}

/** How often the body names turns that the vendor keeps: the model reads them, and they are not here to be judged. */
function storedHistory(body: Body): number {
  const { previous_response_id, previous_interaction_id, conversation, prompt, input, assistant_id, context } = body
  const items: readonly unknown[] = Array.isArray(input) ? input : []
  const run = assistant_id !== undefined && input === undefined ? assistant_id : undefined
  // Ollama gives its client what it keeps, as numbers.
  const kept = areTokens(context)
  const stored = [previous_response_id, previous_interaction_id, conversation, isObject(prompt) ? prompt.id : undefined]
  const named = [...stored, run, kept || undefined]
  return (
    named.filter((name) => name !== undefined && name !== null && name !== '').length +
    items.filter((item) => isObject(item) && (item.type === 'item_reference' || isReference(item))).length
  )
}

/** `{id}`, an item that the vendor keeps. */
function isReference(item: Record<string, unknown>): boolean {
  const [key, ...others] = Object.keys(item)
  return key === 'id' && others.length === 0
}

/** `format` and `text` hold schemas in some APIs and words in others. */
function isSystem(key: string, value: unknown): boolean {
  return SYSTEM_FIELDS.has(key) && ((key !== 'format' && key !== 'text') || isObject(value))
}
