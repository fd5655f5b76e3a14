// Finds every string of a reply that the model may have written, in document order.
import { LlamaGuardError } from '../../errors.js'
import {
  fieldOf,
  type FieldKind,
  isKnownName,
  isNameOfServer,
  isOfServer,
  isOfServerByName,
  type ReplyFields,
} from './reply-fields.js'
import { isBytes, isMedia, wordsOfBytes } from './reply-media.js'
import { itemIndex } from './reply-texts.js'

/** `aside` is true for names, and for prose in a field of the server: streams repeat both in every event. */
export type Emit = (path: string, text: string, aside: boolean) => void

export interface Walk {
  /** The path of the value. Default: none. */
  readonly path?: string
  /** A key of the value that is read elsewhere. */
  readonly without?: string | undefined
  /** What stands in the value. Default: the whole reply. */
  readonly fields?: ReplyFields | FieldKind | undefined
}

export interface WalkerOptions {
  /**
   * What happens to media. `judge`: they are text, because the API answers with them and its reader knows them.
   * `ignore`: they pass. Default: `refuse`.
   */
  readonly media?: 'refuse' | 'ignore' | 'judge'
  /** True when the names of fields say which are the server's, because the API is not known. Default: false. */
  readonly named?: boolean
}

const MAX_DEPTH = 64
const MAX_NODES = 200_000
const PATH_NAME = /^[\w-]{1,64}$/

const nothing: Emit = () => undefined

/** Walks the values of one reply or stream. It has state: a name that nobody knows is judged once. */
export class TextWalker {
  /** True where the server's fields are judged too. */
  all = false
  readonly #fields: ReplyFields
  readonly #media: NonNullable<WalkerOptions['media']>
  readonly #named: boolean
  readonly #names = new Set<string>()
  #nodes = 0
  #emit: Emit = nothing
  /** The path of the current value. It is joined only for a string that is emitted, because most values are not. */
  readonly #path: (string | number)[] = []
  #without: string | undefined

  constructor(fields: ReplyFields, { media = 'refuse', named = false }: WalkerOptions = {}) {
    this.#fields = fields
    this.#media = media
    this.#named = named
  }

  /**
   * `emit` must not call the walker.
   * @throws LlamaGuardError `unreadable_response` for a value that is too deep, too big or of a kind that no guard
   * reads.
   */
  walk(value: unknown, emit: Emit, { path = '', without, fields = this.#fields }: Walk = {}): void {
    this.#nodes = 0
    this.#emit = emit
    this.#path.length = 0
    if (path !== '') this.#path.push(path)
    this.#without = without
    this.#visit(value, '', undefined, fields, 0)
    this.#emit = nothing
  }

  #visit(value: unknown, key: string, parent: object | undefined, fields: Walk['fields'], depth: number): void {
    if ((this.#nodes += 1) > MAX_NODES)
      throw tooBig(`The body holds more than ${MAX_NODES} values; send a smaller one.`)
    if (typeof value === 'string') {
      if (value !== '') this.#string(value, key, parent, fields)
      return
    }
    if (typeof value !== 'object' || value === null) return
    if (depth >= MAX_DEPTH) throw tooBig(`The body is nested deeper than ${MAX_DEPTH} levels; flatten it.`)
    if (fields === 'json') return this.#json(value, key, depth)
    if (Array.isArray(value)) return this.#list(value, key, parent, fields, depth)
    this.#object(value as Readonly<Record<string, unknown>>, fields, depth)
  }

  #list(
    list: readonly unknown[],
    key: string,
    parent: object | undefined,
    fields: Walk['fields'],
    depth: number,
  ): void {
    for (let position = 0; position < list.length; position += 1) {
      const item = list[position]
      this.#path.push(itemIndex(item, position))
      this.#visit(item, key, parent, fields, depth + 1)
      this.#path.pop()
    }
  }

  #object(object: Readonly<Record<string, unknown>>, fields: Walk['fields'], depth: number): void {
    const keys = Object.keys(object)
    for (let position = 0; position < keys.length; position += 1) {
      const name = keys[position]!
      if (depth === 0 && name === this.#without) continue
      const known = isKnownName(this.all && typeof fields === 'string' ? undefined : fields, name)
      if (!known) this.#name(name)
      this.#path.push(known || PATH_NAME.test(name) ? name : `*${position}`)
      this.#visit(object[name], name, object, fieldOf(fields, name), depth + 1)
      this.#path.pop()
    }
  }

  #string(text: string, key: string, parent: object | undefined, fields: Walk['fields']): void {
    if (isBytes(key, text)) return this.#bytes(text)
    if (isMedia(key, parent, this.#path, text)) {
      if (this.#media === 'refuse') throw media()
      if (this.#media === 'ignore') return
    }
    const kind = typeof fields === 'string' && fields !== 'json' ? fields : undefined
    if (kind !== undefined && !this.all && isOfServer(kind, text)) return
    if (this.#named && !this.all && this.#path.at(-1) === key && isOfServerByName(key, text)) return
    this.#emit(this.#path.join('.'), text, kind !== undefined)
  }

  /** Text in base64 is judged as what it says, and such data of no API that is none as it stands. */
  #bytes(text: string): void {
    const said = wordsOfBytes(text)
    if (said === undefined && this.#media === 'ignore') return
    if (said === undefined && !this.#named && this.#media === 'refuse') throw media()
    for (const each of said ?? [text]) this.#emit(this.#path.join('.'), each, false)
  }

  /** Adds a name that no API gave. The names of one object, one after the other, are a text of their own. */
  #name(name: string): void {
    if (name === '' || this.#names.has(name) || (this.#named && !this.all && isNameOfServer(name))) return
    this.#names.add(name)
    this.#emit([...this.#path, 'key'].join('.'), name, true)
  }

  #json(value: object, key: string, depth: number): void {
    // Depth and media are checked first, because JSON.stringify recurses without a bound of its own.
    const emit = this.#emit
    this.#emit = nothing
    if (Array.isArray(value)) this.#list(value, key, undefined, undefined, depth)
    else this.#object(value as Readonly<Record<string, unknown>>, undefined, depth)
    this.#emit = emit
    if (Object.keys(value).length > 0) emit(this.#path.join('.'), JSON.stringify(value), false)
  }
}

function media(): LlamaGuardError {
  return new LlamaGuardError(
    'unreadable_response',
    'The reply carries audio, image or other data, which the guard cannot read; ask the model for text.',
  )
}

function tooBig(message: string): LlamaGuardError {
  return new LlamaGuardError('unreadable_response', message)
}
