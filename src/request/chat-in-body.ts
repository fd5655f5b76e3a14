// Finds the chat in a body that has been read, and its dialect: by the fields of an API, or by a list of messages that
// have a role or an author and content, at the top or up to four levels down. A level is an object, or a text that is
// JSON.
import type { ChatRequest, Dialect } from '../dialects/dialect.js'
import { BUILT_IN } from '../dialects/index.js'
import { withoutPictures } from '../dialects/kit/media.js'
import { isMessage, isSpoken } from '../dialects/kit/messages.js'
import { KNOWN_KEYS } from '../dialects/kit/request-keys.js'
import { stringsOf } from '../dialects/kit/request-texts.js'
import { openaiChat } from '../dialects/openai-chat.js'
import type { Image } from '../types.js'
import { invalidOption, type LlamaGuardError, toLlamaGuardError, unreadableRequest } from '../types/errors.js'
import { isObject } from '../utils/json.js'
import { beginsAsChat, jsonIn, type Read, spellsChat } from './body/parse.js'
import { pathEnding, type Paths } from './url.js'

type Body = Readonly<Record<string, unknown>>

export class DialectsInUse {
  readonly #list: readonly Dialect[]
  readonly #claiming: readonly Dialect[]
  readonly #endings: readonly { readonly dialect: Dialect; readonly ends: (path: string) => boolean }[]

  /** True when the operator describes a dialect. */
  get hasOwn(): boolean {
    return this.#list.some(isOwn)
  }

  /** @throws LlamaGuardError `invalid_option` for a name that is not built in. */
  constructor(wanted?: readonly (string | Dialect)[], own: readonly Dialect[] = []) {
    // Those with fields of their own come before others, because many bodies look like Chat Completions.
    const rank = (dialect: Dialect): number =>
      isOwn(dialect) ? 0 : dialect.distinct === true ? 1 : dialect === openaiChat ? 2 : 3
    this.#list = [...own, ...(wanted?.map(resolve) ?? BUILT_IN)].sort((a, b) => rank(a) - rank(b))
    // Whom the operator names may claim a body on any path; of the others, those with fields of their own.
    this.#claiming = this.#list.filter((dialect) => wanted !== undefined || rank(dialect) < 2)
    this.#endings = this.#list
      .flatMap((dialect) => dialect.paths.map((path) => ({ dialect, path, ends: pathEnding(path) })))
      .sort((a, b) => b.path.length - a.path.length)
  }

  /** The dialect with the longest path that matches. */
  byPath(paths: Paths): Dialect | undefined {
    return this.#endings.find(({ ends }) => paths.some(ends))?.dialect
  }

  /** The dialect whose request without a body has this path, or these headers. */
  bodiless(paths: Paths, headers: Body): Dialect | undefined {
    return (
      this.#list.find(({ bodiless }) => bodiless !== undefined && paths.some((path) => bodiless.test(path))) ??
      this.#claiming.find((dialect) => dialect.opens?.(headers) === true)
    )
  }

  /** The dialect of a body on the path of `known`; undefined when nothing in it says so. */
  claimant(known: Dialect | undefined, body: Body): Dialect | undefined {
    if (known !== undefined && isOwn(known)) return known
    // A field `messages` alone says nothing: many services have one.
    const claimed = this.#claiming.find(
      (dialect) => (dialect.distinct === true || isOwn(dialect) || !('messages' in body)) && dialect.claims(body),
    )
    if (known?.claims(body) !== true) return claimed
    // Many apps name a route as an API does, and send it what their own client library makes.
    return claimed?.distinct === true && known.distinct !== true ? claimed : known
  }

  /** The dialect of a body in which a chat has been found. */
  ofChat(known: Dialect | undefined, chat: Body): Dialect {
    return this.claimant(known, chat) ?? this.#claiming.find((dialect) => dialect.claims(chat)) ?? openaiChat
  }

  /** The dialect of a body that is a list of requests. */
  ofBatch(items: readonly unknown[]): Dialect | undefined {
    return this.#claiming.find(
      (dialect) => dialect.batches === true && items.some((item) => isObject(item) && dialect.claims(item)),
    )
  }
}

function resolve(dialect: string | Dialect): Dialect {
  const found = typeof dialect === 'string' ? BUILT_IN.find(({ name }) => name === dialect) : dialect
  if (found !== undefined) return found
  const names = BUILT_IN.map(({ name }) => name).join(', ')
  throw invalidOption(`There is no dialect ${JSON.stringify(dialect)}; built in are ${names}.`)
}

const isOwn = (dialect: Dialect): boolean => !BUILT_IN.includes(dialect)

/** A chat, and the dialect that reads it. */
export interface RecognisedChat {
  readonly kind: 'chat'
  readonly dialect: Dialect
  /**
   * The body as the handler will see it. It is a list or a text when the whole body is one. Undefined for a request
   * without a body.
   */
  readonly body: Record<string, unknown> | undefined
  /** The text of the body, where the value has other numbers. */
  readonly exact?: string | undefined
  readonly request: ChatRequest
  /** Why a chat without words is not judged. Default: it is empty. */
  readonly why?: 'unknown-body'
  /** True when the operator is told with a log line of a body that was not read. */
  readonly announced?: boolean
}

/** A chat that has been found, in the form that its dialect reads, and what is outside of it. */
interface Found {
  readonly dialect: Dialect
  readonly chat: Record<string, unknown>
  readonly unsure?: boolean
  readonly outside: readonly Outside[]
}

/**
 * Undefined for a body that is no chat, and `unsure` for one that may be a chat or not.
 * @throws LlamaGuardError with a 4xx code for a chat that parsers read differently, or that holds what no guard sees.
 */
export function chatInBody(
  read: Read,
  known: Dialect | undefined,
  inUse: DialectsInUse,
): RecognisedChat | 'unsure' | undefined {
  const { value, fault, mayBeChat, unclear } = read
  const found = foundIn(value, known, inUse)
  // Any name may be that of a chat to a dialect of the operator's.
  if (fault && (found || mayBeChat || (unclear && inUse.hasOwn) || (known && beginsAsChat(value)))) throw fault
  if (found === undefined) return undefined
  const { dialect, chat, unsure, outside } = found
  if (unsure === true && dialect.distinct !== true && !isOwn(dialect)) return 'unsure'
  try {
    const request = withOutside(dialect.request(chat), [...outside, ...asText(read.text)])
    return { kind: 'chat', dialect, body: value as Record<string, unknown>, request }
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

/** What stands outside of the chat is judged as one text beside it. */
function withOutside(request: ChatRequest, outside: readonly Outside[]): ChatRequest {
  const texts: string[] = []
  const images: Image[] = []
  const sink = { text: (text: string) => void texts.push(text), picture: (image: Image) => void images.push(image) }
  for (const { value, without } of outside) if (value !== without) stringsOf(value, sink, request.ids, without)
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
export const withTexts = (request: ChatRequest, texts: readonly string[]): ChatRequest =>
  texts.length === 0 ? request : { ...request, extras: [[...request.extras, ...texts].join('\n')] }

/** True for a form that holds a chat, which only some parsers make of its names. */
export function formIsChat(value: unknown): boolean {
  return [value].flat().some((each) => isObject(each) && spellsChat(Object.keys(each)))
}

/** A custom dialect may throw anything. A body that it cannot read is the client's fault. */
function toClientError(error: unknown): LlamaGuardError {
  const ours = toLlamaGuardError(error)
  return ours.code === 'internal_error'
    ? unreadableRequest('The dialect could not read the body.', { cause: error })
    : ours
}

const LEVELS = 4

/** A chat in a body. */
interface Evidence {
  /** The object that holds the chat, as a body of Chat Completions: its list is `messages`. */
  readonly chat: Record<string, unknown>
  /** True where no message has a speaker that chats have: posts and comments have an author and content too. */
  readonly unsure: boolean
  /** What is not the chat: the body without the value that holds it, and the same for each text in which it stands. */
  readonly outside: readonly Outside[]
}

/** A value, and what in it is read elsewhere. */
interface Outside {
  readonly value: unknown
  readonly without?: unknown
}

/** A handler may take a text that is JSON for the text that it is, with all that is a setting to an API. */
function asText(text: string | undefined): readonly Outside[] {
  if (text === undefined) return []
  // Most texts that are JSON hold no chat, and need not be searched for pictures.
  const lazy = {
    get value() {
      return withoutPictures(text)
    },
  }
  return [lazy]
}

interface Place {
  readonly value: object
  readonly level: number
  /** The value of the text that this place stands in, or the body. */
  readonly root: unknown
  /** What is outside of that text. */
  readonly outside: readonly Outside[]
}

/** The outermost chat, a list named `messages` before others, and what may be none behind all. */
function findChat(body: unknown): Evidence | undefined {
  let unsure: Evidence | undefined
  const places: Place[] = []
  const add = (value: unknown, level: number, within?: Place): void => {
    if (level > LEVELS) return
    const json = typeof value === 'string' ? jsonIn(value) : undefined
    const { root, outside } = within ?? { root: body, outside: [] }
    if (typeof json === 'object' && json !== null)
      places.push({
        value: json,
        level,
        root: json,
        outside: [...outside, { value: root, without: value }, ...asText(value as string)],
      })
    else if (typeof value === 'object' && value !== null) places.push({ value, level, root, outside })
  }
  add(body, 0)
  for (let at = 0; at < places.length; at += 1) {
    const place = places[at]!
    const { value, level, root } = place
    const chat = chatIn(value)
    const found = chat && { ...chat, outside: [...place.outside, { value: root, without: value }] }
    if (found?.unsure === false) return found
    unsure ??= found
    if (Array.isArray(value)) for (const item of value as unknown[]) add(item, level, place)
    else
      for (const [name, item] of Object.entries(value)) {
        add(item, level + 1, place)
        // A form parser takes a form that is JSON for the name of a field.
        if (jsonIn(name) !== undefined) add(name, level + 1, place)
      }
  }
  return unsure
}

function chatIn(value: object): Omit<Evidence, 'outside'> | undefined {
  const listed = (list: readonly unknown[], beside: object = {}, named = false): Omit<Evidence, 'outside'> => ({
    chat: { ...beside, messages: list },
    unsure: !named && !list.some((item) => isSpoken(item)),
  })
  if (Array.isArray(value)) return value.some(isMessage) ? listed(value) : undefined
  const fields = value as Record<string, unknown>
  if (isMessage(fields) && isSpoken(fields, /^role$/i)) return listed([fields])
  const names = Object.keys(fields).filter((name) => holdsMessages(fields[name]))
  const isNamed = (name: string | undefined): boolean => name?.toLowerCase() === 'messages'
  const name =
    names.find(isNamed) ?? names.find((each) => Object.values(fields[each]!).some((item) => isSpoken(item))) ?? names[0]
  if (name === undefined) {
    // A form parser makes an object of a list.
    return Object.values(fields).some(isMessage) && Object.keys(fields).every((key) => /^\d+$/.test(key))
      ? listed(Object.values(fields))
      : undefined
  }
  const { [name]: messages, ...beside } = fields
  // What else is named so is judged beside it, and so is a name that is the client's own.
  const { messages: other, ...rest } = beside
  const more = [KNOWN_KEYS.has(name) ? undefined : name, other].filter((each) => each !== undefined)
  return listed(Object.values(messages as object), { ...rest, ...(more.length > 0 && { '': more }) }, isNamed(name))
}

function holdsMessages(value: unknown): boolean {
  if (!isObject(value)) return Array.isArray(value) && value.some(isMessage)
  const names = Object.keys(value)
  return names.length > 0 && names.every((name) => /^\d+$/.test(name)) && Object.values(value).some(isMessage)
}
