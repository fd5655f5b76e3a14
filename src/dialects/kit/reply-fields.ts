// What a dialect says of the fields of its replies: which of them its servers fill, by their place. Every other string
// is the model's, and the walk finds it, in document order, for the text of each choice. A description has the shape of
// the reply; lists in it are left out.
import { unreadableResponse } from '../../types/errors.js'
import { isObject } from '../../utils/json.js'
import type { Dialect, Media, ReplyChoice } from '../dialect.js'
import { isBytes, isMedia, unreadMedia, wordsOfBytes } from './media.js'
import { fits, type Shape } from './read-request.js'

/**
 * - `server`: ids, types, states, and objects of counts and settings. Not judged in their short form.
 * - `tokens`: columns of log probabilities, which repeat what is judged.
 * - `sealed`: encrypted or signed data of any length, which only the vendor can read.
 * - `json`: an object that the model wrote. It is judged as the JSON text that the client sees.
 */
type FieldKind = 'server' | 'tokens' | 'sealed' | 'json'

/** An object of a reply. `*` stands for every name that is not in it; such names are the model's. */
export interface ReplyFields {
  readonly [name: string]: ReplyFields | FieldKind
}

/** Fields that the server fills, their names apart by blanks. */
export const server = (names: string): Readonly<Record<string, FieldKind>> => ofKind(names, 'server')

/** Fields of the model's words. */
export const words = (names: string): Readonly<Record<string, ReplyFields>> => ofKind(names, WORDS)

export const WORDS: ReplyFields = {}

function ofKind<Kind>(names: string, kind: Kind): Readonly<Record<string, Kind>> {
  return Object.fromEntries(names.split(/\s+/).map((name) => [name, kind]))
}

/** What stands in a field. Undefined for one that the description does not know, and for all that is in it. */
export function fieldOf(
  fields: ReplyFields | FieldKind | undefined,
  name: string,
): ReplyFields | FieldKind | undefined {
  if (typeof fields === 'string') return fields === 'json' ? undefined : fields
  if (fields === undefined) return undefined
  return Object.hasOwn(fields, name) ? fields[name] : fields['*']
}

/** True for a name that the description has, or that the server makes. */
function isKnownName(fields: ReplyFields | FieldKind | undefined, name: string): boolean {
  if (typeof fields === 'string') return isOfServer(fields, name)
  return fields !== undefined && Object.hasOwn(fields, name)
}

const SHORT_FORM = /^[!-~]{1,128}$/
const SEALED = /^[\w+/=.-]+$/
const MOST_TOKEN = 128

/** True for the short form in which a server fills its fields: at most 128 characters, no blank. */
export function isShort(text: string): boolean {
  return SHORT_FORM.test(text)
}

/** True for a string in a field of this kind that is not judged. */
function isOfServer(kind: FieldKind, text: string): boolean {
  if (kind === 'server') return isShort(text)
  if (kind === 'tokens') return text.length <= MOST_TOKEN
  return kind === 'sealed' && SEALED.test(text)
}

const NAME_OF_SERVER = /^(?:type|role|status|object|model|version|created|timestamp)$|(?:_at|At)$/
const NAME_OF_ID = /^(?:id|uuid)$|(?:_id|Id)$/
/** Words in an id are long or have no digit. */
const ID = /^(?:[\w.:-]{1,16}|(?=\D{0,127}\d)[\w.:-]{1,128})$/

/** The same in a reply of no known API, where the name of a field says what it is. */
function isOfServerByName(name: string, text: string): boolean {
  return NAME_OF_ID.test(name) ? ID.test(text) : NAME_OF_SERVER.test(name) && isShort(text)
}

function isNameOfServer(name: string): boolean {
  return name.length <= 64 && (NAME_OF_ID.test(name) || NAME_OF_SERVER.test(name))
}

/**
 * `aside` is true for names, and for prose in a field of the server: streams repeat both in every event. `holder` is
 * the object that the string stands in.
 */
export type Emit = (path: string, text: string, aside: boolean, holder: Holder) => void
export type Holder = Readonly<Record<string, unknown>>

export interface Walk {
  /** A key of the value that is read elsewhere. */
  readonly without?: string | undefined
  /** What stands in the value. Default: the whole reply. */
  readonly fields?: ReplyFields | FieldKind | undefined
}

export interface WalkerOptions {
  /**
   * What becomes of pictures and sound in a reply. `judge` treats their fields as text, for an API whose replies are
   * pictures: its dialect names the fields that hold them. Default: `refuse`.
   */
  readonly media?: Media | 'judge' | undefined
  /** True when the names of fields say which are the server's, because the API is not known. Default: false. */
  readonly named?: boolean
}

const MAX_DEPTH = 64
const MAX_NODES = 200_000
const PATH_NAME = /^[\w-]{1,64}$/

const nothing: Emit = () => undefined
const NO_HOLDER: Holder = {}

/** Walks the values of one reply or stream. It has state: a name that nobody knows is judged once. */
export class TextWalker {
  /** True where the server's fields are judged too. */
  all = false
  readonly #fields: ReplyFields
  readonly #media: Media | 'judge'
  readonly #named: boolean
  readonly #names = new Set<string>()
  #nodes = 0
  #depth = 0
  #emit: Emit = nothing
  /** The path of the current value. It is joined only for a string that is emitted, because most values are not. */
  readonly #path: (string | number)[] = []
  #without: string | undefined

  constructor(fields: ReplyFields, options: WalkerOptions = {}) {
    const { named = false, media = 'refuse' } = options
    this.#fields = fields
    this.#media = media
    this.#named = named
  }

  /**
   * `emit` must not call the walker.
   * @throws LlamaGuardError `unreadable_response` for a value that is too deep, too big or of a kind that no guard
   * reads.
   */
  walk(value: unknown, emit: Emit, { without, fields = this.#fields }: Walk = {}): void {
    this.#nodes = 0
    this.#depth = 0
    this.#emit = emit
    this.#path.length = 0
    this.#without = without
    this.#visit(value, '', NO_HOLDER, fields)
    this.#emit = nothing
  }

  #visit(value: unknown, key: string, holder: Holder, fields: Walk['fields']): void {
    // Numbers are not counted, because a batch of embeddings has hundreds of thousands.
    if (typeof value === 'number' || value === null) return
    if ((this.#nodes += 1) > MAX_NODES)
      throw unreadableResponse(`The body holds more than ${MAX_NODES} values; send fewer.`)
    if (typeof value === 'string') {
      if (value !== '') this.#string(value, key, holder, fields)
      return
    }
    if (typeof value !== 'object') return
    if (this.#depth >= MAX_DEPTH)
      throw unreadableResponse(`The body is nested deeper than ${MAX_DEPTH} levels; flatten it.`)
    this.#depth += 1
    if (fields === 'json') this.#json(value, key)
    else if (Array.isArray(value)) this.#list(value, key, holder, fields)
    else this.#object(value as Holder, fields)
    this.#depth -= 1
  }

  #list(list: readonly unknown[], key: string, holder: Holder, fields: Walk['fields']): void {
    for (let position = 0; position < list.length; position += 1) {
      const item = list[position]
      this.#path.push(itemIndex(item, position))
      this.#visit(item, key, holder, fields)
      this.#path.pop()
    }
  }

  #object(object: Holder, fields: Walk['fields']): void {
    const keys = Object.keys(object)
    for (let position = 0; position < keys.length; position += 1) {
      const name = keys[position]!
      if (this.#depth === 1 && name === this.#without) continue
      const known = isKnownName(this.all && typeof fields === 'string' ? undefined : fields, name)
      if (!known) this.#name(name)
      this.#path.push(known || PATH_NAME.test(name) ? name : `*${position}`)
      this.#visit(object[name], name, object, fieldOf(fields, name))
      this.#path.pop()
    }
  }

  #string(text: string, key: string, holder: Holder, fields: Walk['fields']): void {
    if (isBytes(key, text)) return this.#bytes(text, holder)
    if (isMedia(key, holder, this.#path, text)) {
      if (this.#media === 'refuse') throw unreadMedia()
      if (this.#media === 'ignore') return
    }
    const kind = typeof fields === 'string' && fields !== 'json' ? fields : undefined
    if (kind !== undefined && !this.all && isOfServer(kind, text)) return
    if (this.#named && !this.all && this.#path.at(-1) === key && isOfServerByName(key, text)) return
    this.#emit(this.#path.join('.'), text, kind !== undefined, holder)
  }

  /** Text in base64 is judged as what it says, and such data of no API that is none as it stands. */
  #bytes(text: string, holder: Holder): void {
    const said = wordsOfBytes(text)
    if (said === undefined && this.#media === 'ignore') return
    if (said === undefined && !this.#named && this.#media === 'refuse') throw unreadMedia()
    for (const each of said ?? [text]) this.#emit(this.#path.join('.'), each, false, holder)
  }

  /** Adds a name that no API gave. The names of one object, one after the other, are a text of their own. */
  #name(name: string): void {
    if (name === '' || this.#names.has(name) || (this.#named && !this.all && isNameOfServer(name))) return
    this.#names.add(name)
    this.#emit([...this.#path, 'key'].join('.'), name, true, NO_HOLDER)
  }

  #json(value: object, key: string): void {
    // Depth and media are checked first, because JSON.stringify recurses without a bound of its own.
    const emit = this.#emit
    this.#emit = nothing
    if (Array.isArray(value)) this.#list(value, key, NO_HOLDER, undefined)
    else this.#object(value as Holder, undefined)
    this.#emit = emit
    if (Object.keys(value).length > 0) emit(this.#path.join('.'), JSON.stringify(value), false, NO_HOLDER)
  }
}

/**
 * The index that an interleaved list item names for itself. Its position in one event does not tell which item it is.
 */
export function itemIndex(item: unknown, position = 0): number {
  const index = isObject(item) ? item.index : undefined
  return Number.isSafeInteger(index) && (index as number) >= 0 ? (index as number) : position
}

/** The pieces of each choice, in the order in which they were found. */
export class ChoiceTexts {
  readonly #pieces = new Map<number, string[]>()

  /** Makes a choice known even when it has no text. */
  open(index: number): string[] {
    if (!this.#pieces.has(index)) this.#pieces.set(index, [])
    return this.#pieces.get(index)!
  }

  add(index: number, text: string): void {
    this.open(index).push(text)
  }

  /** Reads a list whose items are the choices. */
  readEach(list: readonly unknown[], walker: TextWalker, fields: ReplyFields): void {
    for (const [position, item] of list.entries()) {
      const index = itemIndex(item, position)
      this.open(index)
      walker.walk(item, (_path, text) => this.add(index, text), { fields })
    }
  }

  /** Adds text outside any choice. Every client may read it, so it is judged with the first choice. */
  addOutside(text: string): void {
    const [first = 0] = this.#pieces.keys()
    this.add(first, text)
  }

  list(): readonly ReplyChoice[] {
    return [...this.#pieces].map(([index, pieces]) => ({ index, text: pieces.join('\n') }))
  }
}

/** All text of the reply as one choice, by what the API says of its fields. */
export function oneChoice(body: unknown, fields: ReplyFields, options?: WalkerOptions): readonly ReplyChoice[] {
  const texts = new ChoiceTexts()
  texts.open(0)
  new TextWalker(fields, options).walk(body, (_path, text) => texts.add(0, text))
  return texts.list()
}

/** Reads replies of one of these shapes. Each is one choice, however many parts it has. */
export function reading(fields: ReplyFields, ...shapes: readonly Shape[]): Dialect['reply'] {
  return (body, media) => (shapes.some((shape) => fits(body, shape)) ? oneChoice(body, fields, { media }) : undefined)
}
