// The texts of a request. A walk finds every string, keys and values; left out are settings of the API in use in a
// short form, ids, and data that its vendor has sealed. What is found is collected as the content of one message, and
// as turns: neighbouring messages of one role are joined by a line break, because Llama Guard expects alternating
// roles, and an answer that is split over two messages must not be judged in halves.
import { Buffer, isUtf8 } from 'node:buffer'
import type { Image, NotJudged, NotJudgedReason, Role, Turn } from '../../types.js'
import { unreadableRequest } from '../../types/errors.js'
import { isObject, textOf, withEscapesRead } from '../../utils/json.js'
import type { ChatRequest } from '../dialect.js'
import { isDataUrl, isPicture, readDataUrl, readPictures, type Sink } from './media.js'
import { ARGUMENTS, KNOWN_KEYS, SEALED, SEALED_DATA, STRUCTURE } from './request-keys.js'

export interface Place {
  /** The field that holds the value. */
  readonly key?: string
  /** True where objects may be arguments of a tool, or schemas: they are judged as the JSON text that a model reads. */
  readonly json?: boolean
  /** True within a setting, whose names and short values no model reads. */
  readonly setting?: boolean
}

interface Within extends Required<Omit<Place, 'key'>> {
  /** True in fields of the API, false below a name that nobody knows. */
  readonly own: boolean
  /** The `type` beside the value. */
  readonly type: unknown
}

const MAX_DEPTH = 64
const MAX_IDS = 16

const SHORT = /^\S{1,128}$/u
const ID_NAME = /^(?:id|uuid)$|Id$|_id$/
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const ID = /^(?:[A-Za-z]{1,12}[_-])?(?=[\w-]*\d)[\w-]{16,64}$/
const DIGITS = /^\d{1,32}$/

/** The one short form of a setting's value: at most 128 characters, no blank. */
export function isShort(text: string): boolean {
  return SHORT.test(text)
}

/** True for an id under a name that says so. */
function isId(name: string, text: string): boolean {
  return ID_NAME.test(name) && (DIGITS.test(text) || UUID.test(text) || ID.test(text))
}

type UnjudgedIds = NonNullable<ChatRequest['ids']>

/** The ids of one request that go unjudged: the first of them. */
export class FreeIds implements UnjudgedIds {
  readonly #ids = new Set<string>()

  has(name: string, text: string): boolean {
    return isId(name, text) && (this.#ids.has(text) || (this.#ids.size < MAX_IDS && this.#ids.add(text).size > 0))
  }
}

/** Walks the values of one request. */
export class Walker {
  /** Sealed values that went unjudged. */
  sealed = 0
  readonly ids: UnjudgedIds
  readonly #chat: boolean
  readonly #skip: unknown
  #sink: Sink = { text: () => undefined, picture: () => undefined }

  /**
   * `chat` is true for the request of a known API, whose own fields of ids and types go unjudged in a short form.
   * `skip`: a value that is read elsewhere. `ids`: those of the same request that were read before.
   * @throws LlamaGuardError `unreadable_request` for a body that is nested too deep.
   */
  constructor(
    body: unknown,
    chat: boolean,
    { skip, ids = new FreeIds() }: { skip?: unknown; ids?: UnjudgedIds | undefined } = {},
  ) {
    checkDepth(body, 0)
    this.#chat = chat
    this.#skip = skip
    this.ids = ids
  }

  /** @throws LlamaGuardError `unsupported_content` for media that no guard sees. `sink` must not walk. */
  read(value: unknown, sink: Sink, { key = '', json = false, setting = false }: Place = {}): void {
    this.#sink = sink
    this.#field(key, value, { json, setting, own: this.#chat, type: undefined })
  }

  #field(name: string, value: unknown, within: Within): void {
    const known = KNOWN_KEYS.has(name)
    if (name !== '' && !known && !(within.setting && isShort(name))) this.#sink.text(name)
    if (!isPicture(name, value))
      return this.#visit(value, name, known || name === '' ? within : { ...within, own: false })
    const sink = this.#sink
    readPictures(value, sink, (rest) => this.read(rest, sink, within))
  }

  #visit(value: unknown, key: string, within: Within): void {
    if (typeof value === 'string') return this.#string(value, key, within)
    if (typeof value !== 'object' || value === null || value === this.#skip) return
    if (Array.isArray(value))
      for (const item of value as unknown[])
        this.#visit(item, typeof item === 'string' || Array.isArray(item) ? key : '', within)
    else if (within.json && ARGUMENTS.has(key)) this.#json(value)
    else {
      const inner = { ...within, type: (value as Record<string, unknown>).type }
      for (const name of Object.keys(value)) this.#field(name, (value as Record<string, unknown>)[name], inner)
    }
  }

  #json(value: object): void {
    if (Object.keys(value).length > 0) this.#sink.text(JSON.stringify(value))
  }

  #string(text: string, key: string, { setting, own, type }: Within): void {
    if (text === '' || text === this.#skip || this.ids.has(key, text)) return
    if ((setting || (own && STRUCTURE.has(key))) && isShort(key.startsWith('stop') ? text.trim() : text)) return
    if (own && (SEALED.has(key) || (key === 'data' && SEALED_DATA.has(textOf(type)))) && isSealed(text)) {
      this.sealed += 1
      return
    }
    if (isDataUrl(text)) readDataUrl(text, this.#sink)
    else this.#sink.text(text)
  }
}

/** True for base64 of bytes that are no text. */
function isSealed(text: string): boolean {
  if (!/^[\w+/-]{16,}={0,2}$/.test(text)) return false
  const bytes = Buffer.from(text, 'base64')
  return !isUtf8(bytes) || bytes.includes(0)
}

function checkDepth(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth >= MAX_DEPTH)
    throw unreadableRequest(`The body is nested deeper than ${MAX_DEPTH} levels; send a flatter one.`)
  for (const inner of Array.isArray(value) ? (value as unknown[]) : Object.values(value)) checkDepth(inner, depth + 1)
}

/** All strings of a value of any shape, and its pictures. */
export function stringsOf(value: unknown, sink: Sink, ids?: UnjudgedIds, skip?: unknown): void {
  const fields = isObject(value) ? Object.entries(value) : [['', value] as const]
  const walker = new Walker(value, false, { skip, ids })
  for (const [key, inner] of fields) walker.read(inner, sink, { key })
}

/**
 * The content of one message. Its text parts are joined to one text, as a model reads them. Every other string is a
 * line of its own.
 */
export class Content implements Sink {
  readonly images: Image[] = []
  /** True when some of the content is not a tool's result. */
  human = false
  readonly #mine: boolean
  readonly #pieces: string[] = []
  /** The text parts since the last other part, and the text beside them. */
  #run: string | undefined
  #beside: string[] = []
  readonly #runs: string[] = []

  /** `mine` is true when the words are a human's own. */
  constructor(mine: boolean) {
    this.#mine = mine
  }

  /** Adds the words of a text part. They continue the part before, even when images stand between the two. */
  say(words: string): void {
    if (words === '') return
    this.#run = (this.#run ?? '') + words
    this.human ||= this.#mine
  }

  /** Adds a string that is no text part. */
  text(text: string): void {
    if (text === '') return
    if (this.#run === undefined) this.#pieces.push(text)
    else this.#beside.push(text)
    this.human ||= this.#mine
  }

  picture(image: Image): void {
    this.images.push(image)
    this.human ||= this.#mine
  }

  /** Ends the current text, because a part of another kind follows. */
  breakOff(): void {
    if (this.#run === undefined) return
    this.#runs.push(this.#run)
    this.#pieces.push(this.#run)
    for (const piece of this.#beside) this.#pieces.push(piece)
    this.#run = undefined
    this.#beside = []
  }

  /** Adds the content of an inner part, for example of a tool's result. */
  take(inner: Content): void {
    this.breakOff()
    const text = inner.toString()
    if (text !== '') this.#pieces.push(text)
    for (const image of inner.images) this.images.push(image)
    this.human ||= inner.human
  }

  /**
   * All lines. A handler may join only the text parts and leave out what stands between them, so a word that was
   * split there is also read joined.
   */
  toString(): string {
    this.breakOff()
    const split = this.#runs.some((run, at) => at > 0 && isWordAt(this.#runs[at - 1]!, -1) && isWordAt(run, 0))
    return (split ? [...this.#pieces, this.#runs.join('')] : this.#pieces).join('\n')
  }
}

function isWordAt(text: string, at: number): boolean {
  return /[\p{L}\p{N}\p{M}_]/u.test(text.at(at) ?? '')
}

interface Say {
  readonly role: Role
  readonly text: string
  readonly images?: readonly Image[]
  /** True for words or images of a human, false for those of a tool. */
  readonly human: boolean
}

/** Collects the parts of one request. */
export class RequestBuilder {
  readonly #turns: { role: Role; pieces: string[]; images: Image[]; human: boolean }[] = []
  readonly #system = new Set<string>()
  readonly #extras: string[] = []
  readonly #unseen: NotJudged[] = []
  readonly ids = new FreeIds()

  /** Adds a message. A message without text and images adds no turn, because the guard has nothing to read in it. */
  say({ role, text, images, human }: Say): void {
    const pictures = images !== undefined && images.length > 0
    if (text === '' && !pictures) return
    const last = this.#turns.at(-1)
    const turn = last?.role === role ? last : { role, pieces: [], images: [], human: false }
    if (turn !== last) this.#turns.push(turn)
    if (text !== '') turn.pieces.push(text)
    if (pictures) turn.images.push(...images)
    turn.human ||= human
  }

  /** Adds system text. A text that was added before, such as the name of a tool, is not repeated. */
  system(text: string): void {
    if (text !== '') this.#system.add(text)
  }

  /** Adds text that is neither conversation nor system text. All of it is judged as one text. */
  extra(text: string): void {
    if (text.trim() !== '') this.#extras.push(text)
  }

  /** What the model will see and no guard can. */
  unseen(what: NotJudgedReason, count: number): void {
    if (count > 0) this.#unseen.push({ what, count })
  }

  build(stream: boolean, model?: unknown): ChatRequest {
    const turns = this.#turns.map(toTurn)
    const system = withEscapesRead([...this.#system].join('\n'))
    const extra = withEscapesRead(this.#extras.join('\n'))
    const userTurns: number[] = []
    for (const [index, { role, human }] of this.#turns.entries()) if (role === 'User' && human) userTurns.push(index)
    return {
      system,
      turns,
      userTurns,
      extras: extra === '' ? [] : [extra],
      stream,
      model: typeof model === 'string' ? model : undefined,
      ids: this.ids,
      ...(this.#unseen.length > 0 && { unseen: this.#unseen }),
    }
  }
}

function toTurn({ role, pieces, images }: { role: Role; pieces: string[]; images: Image[] }): Turn {
  const text = withEscapesRead(pieces.join('\n'))
  return images.length > 0 ? { role, text, images } : { role, text }
}
