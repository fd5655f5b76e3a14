// A dialect that the user describes: the places of the words in a request and a reply. Fields that the user's functions
// leave out are found and judged too, so that a forgotten field cannot pass the guard.
import type { Image } from '../types.js'
import { invalidOption, LlamaGuardError, unreadableRequest } from '../types/errors.js'
import { isObject } from '../utils/json.js'
import type { Declined, Dialect, Media, Refusal, ReplyChoice, StreamReader } from './dialect.js'
import { OWN_REPLY } from './generic.js'
import { eventReader, type EventTexts, isDone, NOT_OVER } from './kit/event-reader.js'
import { blockNote, openaiRefusal, sse, streamFailure } from './kit/refusals.js'
import { TextWalker, ChoiceTexts } from './kit/reply-fields.js'
import { SETTINGS } from './kit/request-keys.js'
import { RequestBuilder, Walker } from './kit/request-texts.js'

export interface CustomTurn {
  /** The speaker. Tool results count as `user`. */
  readonly role: 'user' | 'assistant' | 'tool'
  readonly text: string
}

export interface CustomRequest {
  readonly turns?: readonly CustomTurn[]
  /** Text that instructs the model and is not part of the conversation. Default: none. */
  readonly system?: string
  /** True when the client asked for a stream. Default: the body's own field `stream`. */
  readonly stream?: boolean
}

/**
 * Describes an API of your own. When one of these functions throws, the request is 400 or the reply 503; it is never
 * taken for safe.
 */
export interface CustomDialectOptions {
  /** The name in logs and metrics: letters, digits, `-` and `_`. */
  readonly name: string
  /** The path endings of this API, each with a leading slash. Default: none. */
  readonly paths?: readonly string[]
  /** True when a body on any path is a request of this API. Default: never. */
  readonly claims?: (body: Readonly<Record<string, unknown>>) => boolean
  readonly request: (body: Readonly<Record<string, unknown>>) => CustomRequest
  /**
   * The words of a JSON reply, one text a choice. Undefined for a reply of another shape, which is then judged as
   * plain text.
   */
  readonly reply?: (body: unknown) => string | readonly string[] | undefined
  /**
   * The new words in one event of a stream. It gets the parsed JSON of the event, or its text. Undefined when the
   * event has none.
   */
  readonly delta?: (data: unknown) => string | undefined
  /** Makes the JSON body of a 4xx, 451 or 503. Default: OpenAI's error object. */
  readonly refusal?: (refusal: Refusal) => unknown
  /**
   * Makes the JSON reply, or the event of a stream, that declines with these words, for `onBlock: 'refusal'`.
   * Default: none, and a block is answered as an error.
   */
  readonly decline?: (declined: Declined) => unknown
  /** The framing of its streams. Default: `sse`. */
  readonly framing?: 'sse' | 'ndjson'
}

/** @throws LlamaGuardError `invalid_option` for a description that cannot work. */
function checkedDescription(options: CustomDialectOptions): CustomDialectOptions {
  const wrong = (what: string): LlamaGuardError => invalidOption(`customDialect: ${what}.`)
  if (typeof options !== 'object' || options === null) throw wrong('an object that describes the dialect is wanted')
  const { name, paths = [], request, framing = 'sse' } = options
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name))
    throw wrong('`name` must be 1 to 64 letters, digits, - or _')
  if (!Array.isArray(paths) || !paths.every((path) => typeof path === 'string' && /^\/\S/.test(path)))
    throw wrong('`paths` must be a list of paths with a leading slash')
  if (typeof request !== 'function') throw wrong('`request` must be a function that returns the turns of a body')
  for (const key of ['claims', 'reply', 'delta', 'refusal', 'decline'] as const)
    if (options[key] !== undefined && typeof options[key] !== 'function') throw wrong(`\`${key}\` must be a function`)
  if (framing !== 'sse' && framing !== 'ndjson') throw wrong('`framing` must be "sse" or "ndjson"')
  return options
}

/**
 * Makes a {@link Dialect}.
 * @throws LlamaGuardError `invalid_option` for a description that cannot work.
 */
export function customDialect(options: CustomDialectOptions): Dialect {
  const {
    name,
    paths = [],
    claims,
    request,
    reply,
    delta,
    refusal,
    decline,
    framing = 'sse',
  } = checkedDescription(options)
  return {
    name,
    paths,
    framing,
    claims: (body) => claims?.(body) ?? false,
    request(body) {
      const builder = new RequestBuilder()
      const walker = new Walker(body, true, { ids: builder.ids })
      const found = guarded('unreadable_request', name, () => request(body))
      readForgotten(body, readRequest(found, builder), walker, builder)
      return builder.build(found.stream ?? body.stream === true, body.model)
    },
    reply(body, media) {
      const found = guarded('unreadable_response', name, () => reply?.(body))
      return readReply(body, found, media)
    },
    stream(_calls, media) {
      const read = (data: unknown): string | undefined => guarded('unreadable_response', name, () => delta?.(data))
      return customStream(framing, read, decline, media)
    },
    refusal: refusal ?? ((details) => openaiRefusal(details, { input: 'messages', output: 'choices' })),
    ...(decline !== undefined && { decline }),
  }
}

/** Puts the result of the user's function into the builder. */
function readRequest(found: CustomRequest, builder: RequestBuilder): ReadonlySet<string> {
  const { turns = [], system = '' } = found
  for (const { role, text } of turns) {
    if (!['user', 'assistant', 'tool'].includes(role) || typeof text !== 'string')
      throw unreadableRequest(
        'The custom dialect returned a turn whose role is not user, assistant or tool, or that has no text.',
      )
    builder.say({ role: role === 'assistant' ? 'Agent' : 'User', text, human: role === 'user' })
  }
  builder.system(system)
  return new Set([system, ...turns.map(({ text }) => text)])
}

/**
 * A field name in common style. When the user's function has found the words of the field, its name is taken as
 * known.
 */
const FIELD_NAME = /^[A-Za-z]{1,12}(?:_[a-z]{1,12}|[A-Z][a-z]{1,11})?$/
const MAX_FIELD_NAMES = 8

/** Reads everything that the user's function left out, by the rules of the built-in dialects. */
function readForgotten(
  body: Readonly<Record<string, unknown>>,
  said: ReadonlySet<string>,
  walker: Walker,
  builder: RequestBuilder,
): void {
  let names = 0
  const images: Image[] = []
  const picture = (image: Image): void => void images.push(image)
  for (const [key, value] of Object.entries(body)) {
    const found = typeof value === 'string' && said.has(value)
    if (found && FIELD_NAME.test(key) && (names += 1) <= MAX_FIELD_NAMES) continue
    const text = (each: string): void => {
      if (!said.has(each)) builder.extra(each)
    }
    walker.read(value, { text, picture }, { key, setting: SETTINGS.has(key) })
  }
  builder.say({ role: 'User', text: '', images, human: true })
}

/** The channel of the user's function. It equals no path of a field, so that their words never mix. */
const SAID = 'delta()'

type Decline = NonNullable<Dialect['decline']>

function customStream(
  framing: 'sse' | 'ndjson',
  delta: (data: unknown) => string | undefined,
  decline?: Decline,
  media?: Media,
): StreamReader {
  const frame = (value: unknown): string => (framing === 'sse' ? sse(value) : `${JSON.stringify(value)}\n`)
  const read = (texts: EventTexts, data: unknown): void => {
    const words = delta(data) ?? ''
    if (words !== '') texts.deltas.push({ choice: 0, channel: SAID, text: words })
    texts.walk(data, { skip: (text) => text === words })
  }
  return eventReader({
    fields: OWN_REPLY,
    options: { named: true, media },
    start: NOT_OVER,
    after: ({ over }, _data, event) => ({ over: over || isDone(event) }),
    read,
    readList: read,
    block(_state, decision, words) {
      const says = words !== undefined && decline !== undefined
      const last = says ? frame(decline({ words, model: undefined, decision, stream: true })) : ''
      const note = last + frame({ finish_reason: 'content_filter', llama_guard: blockNote(decision) })
      return framing === 'sse' ? `${note}data: [DONE]\n\n` : note
    },
    fail: (_state, error) => frame({ error: streamFailure(error) }),
  })
}

function readReply(
  body: unknown,
  found: string | readonly string[] | undefined,
  media: Media | undefined,
): readonly ReplyChoice[] | undefined {
  if (found === undefined) return undefined
  const list = typeof found === 'string' ? [found] : found
  const texts = new ChoiceTexts()
  for (const [index, text] of list.entries())
    if (text === '') texts.open(index)
    else texts.add(index, text)
  const said = new Set(list)
  new TextWalker(OWN_REPLY, { named: true, media }).walk(body, (_path, text) => {
    if (!said.has(text)) texts.addOutside(text)
  })
  return texts.list()
}

function guarded<T>(code: 'unreadable_request' | 'unreadable_response', name: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new LlamaGuardError(code, `The custom dialect "${name}" could not read it.`, { cause })
  }
}

/** A dialect whose requests have the user's words at `text`, and whose replies have the model's words at `reply`. */
export function shorthandDialect(text: string, reply: string | undefined): Dialect {
  return customDialect({
    name: 'text',
    claims: (body) => valueAt(body, text) !== undefined,
    request: (body) => ({ turns: [{ role: 'user', text: wordsAt(body, text) ?? '' }] }),
    ...(reply !== undefined && { reply: (body) => wordsAt(body, reply), delta: (data) => wordsAt(data, reply) }),
    decline: ({ words }) => (reply === undefined ? { text: words } : nested(reply, words)),
  })
}

/** A value of another kind is judged with the rest of the body. */
function wordsAt(value: unknown, path: string): string | undefined {
  const found = valueAt(value, path)
  return typeof found === 'string' ? found : undefined
}

/** The value at a path of keys; null is none. */
function valueAt(value: unknown, path: string): unknown {
  let found = value
  for (const key of path.split('.')) {
    if (!(isObject(found) || Array.isArray(found)) || !Object.hasOwn(found, key)) return undefined
    found = (found as Record<string, unknown>)[key]
  }
  return found ?? undefined
}

/** An object with these words at the path. */
function nested(path: string, words: string): unknown {
  return path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), words)
}
