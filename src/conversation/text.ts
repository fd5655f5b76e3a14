// Finds every string of a JSON value, in document order, so that no field is a way past the guard.
// Only a known metadata field whose value looks like an identifier is left out; prose in it is text like any other.
import { LlamaGuardError } from '../errors.js'
import { itemIndex } from './json.js'
import { tokenColumns } from './logprobs.js'

/** What a dialect knows about its own keys. */
export interface Vocabulary {
  /** Keys whose identifier-like values are no text: ids, types, models. */
  readonly metadata: ReadonlySet<string>
  /** Keys under which every identifier-like value is metadata: token counts and timings. */
  readonly containers?: ReadonlySet<string>
  /** Keys of encrypted or signed blobs that only the vendor can read, of any length. */
  readonly opaque?: ReadonlySet<string>
  /** Keys whose objects are judged as the JSON text the client will see: tool inputs. */
  readonly json?: ReadonlySet<string>
  /** Keys a merge could turn into a prototype are refused. For requests, whose handlers copy bodies about. */
  readonly refusePrototypeKeys?: boolean
  /** `logprobs` repeat the text token by token: they are judged joined, and only where they differ from it. */
  readonly tokenLists?: boolean
  /** Media in a reply cannot be read by the guard. */
  readonly refuseMedia?: boolean
  readonly code: 'unreadable_request' | 'unreadable_response'
}

/** `metadata` is true for prose found in a metadata field, which streams repeat in every event. */
export type Emit = (path: string, text: string, metadata: boolean) => void

export const MAX_DEPTH = 64
const MAX_NODES = 200_000
// One word per id, across many ids, would spell a sentence: so only so many different ones are free.
const FREE_VALUES = { unreadable_request: 1024, unreadable_response: 128 } as const
const FREE_KEYS = 512

const IDENTIFIER = /^[\w.:/+=@-]{0,128}$/
const OPAQUE = /^[\w+/=-]*$/
const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype'])
const MEDIA_KEYS = new Set(['b64_json', 'partial_image_b64'])
const MEDIA_URL = /^\s*data:(?!text\/)[^,]{0,200};\s*base64\s*,/i

/** True for what cannot be prose: short and without white space. */
export function isIdentifier(text: string, maxLength = 128): boolean {
  return text.length <= maxLength && IDENTIFIER.test(text)
}

/** Walks values of one request, reply or stream. Stateful: what is free metadata is counted over its whole life. */
export class TextWalker {
  readonly #words: Vocabulary
  readonly #free = new Set<string>()
  readonly #freeKeys = new Set<string>()
  #nodes = 0
  #tokens: { path: string; logprobs: object; depth: number }[] = []

  constructor(words: Vocabulary) {
    this.#words = words
  }

  /** Throws the vocabulary's code for a value too deep, too big or of a kind no guard reads. */
  walk(value: unknown, emit: Emit, path = '', key = ''): void {
    this.#nodes = 0
    this.#tokens = []
    const said = new Set<string>()
    this.#visit({ value, path, key, parent: undefined, parentKey: '', depth: 0, contained: false }, (at, text, metadata) => {
      if (this.#words.tokenLists === true) said.add(text)
      emit(at, text, metadata)
    })
    // A token list may hold another one.
    for (let next = this.#tokens.shift(); next !== undefined; next = this.#tokens.shift()) this.#tokenLists(next, said, emit)
  }

  /** True when an identifier-like value may go unjudged, while there are few of them. */
  free(value: string): boolean {
    if (!isIdentifier(value)) return false
    if (/^\d*$/.test(value) || this.#free.has(value)) return true
    if (this.#free.size >= FREE_VALUES[this.#words.code]) return false
    this.#free.add(value)
    return true
  }

  #visit(at: Place, emit: Emit): void {
    const { value } = at
    this.#nodes += 1
    if (this.#nodes > MAX_NODES) throw new LlamaGuardError(this.#words.code, `The body holds more than ${MAX_NODES} values; send a smaller one.`)
    if (typeof value === 'string') return this.#string(at, value, emit)
    if (typeof value !== 'object' || value === null) return
    if (at.depth >= MAX_DEPTH) throw new LlamaGuardError(this.#words.code, `The body is nested deeper than ${MAX_DEPTH} levels; flatten it.`)
    if (this.#words.tokenLists === true && at.key === 'logprobs') return void this.#tokens.push({ path: at.path, logprobs: value, depth: at.depth })
    if (this.#words.json?.has(at.key) === true && at.depth > 0) return this.#jsonText(at, value, emit)
    this.#children(at, value, emit)
  }

  #children(at: Place, value: object, emit: Emit): void {
    const depth = at.depth + 1
    if (Array.isArray(value)) {
      const items = value as unknown[]
      for (let position = 0; position < items.length; position += 1) {
        const item = items[position]
        this.#visit({ ...at, value: item, path: join(at.path, itemIndex(item, position)), parent: at.parent, depth }, emit)
      }
      return
    }
    const parent = value as Record<string, unknown>
    const keys = Object.keys(parent)
    for (let position = 0; position < keys.length; position += 1) {
      const key = keys[position]!
      if (this.#words.refusePrototypeKeys === true && PROTOTYPE_KEYS.has(key)) {
        throw new LlamaGuardError(this.#words.code, 'The body has a key named __proto__, constructor or prototype; remove it.')
      }
      const named = this.#freeKey(key)
      // A path is shown in logs, so a key that may be prose is only counted in it.
      const path = join(at.path, named ? key : `*${position}`)
      if (!named && key !== '') emit(`${path}.key`, key, false)
      this.#visit({ value: parent[key], path, key, parent, parentKey: at.key, depth, contained: at.contained || this.#words.containers?.has(key) === true }, emit)
    }
  }

  #string(at: Place, text: string, emit: Emit): void {
    if (text === '') return
    if (this.#words.refuseMedia === true && isMedia(at, text)) {
      throw new LlamaGuardError(this.#words.code, 'The reply carries audio or image data, which the guard cannot read; ask the model for text.')
    }
    if (this.#words.opaque?.has(at.key) === true && OPAQUE.test(text)) return
    const metadata = at.contained || this.#words.metadata.has(at.key)
    if (metadata && (at.key === 'obfuscation' ? isIdentifier(text) : this.free(text))) return
    emit(at.path, text, metadata)
  }

  #jsonText(at: Place, value: object, emit: Emit): void {
    // Depth and media are checked first: JSON.stringify recurses without a bound of its own.
    this.#children(at, value, () => undefined)
    if (Object.keys(value).length > 0) emit(at.path, JSON.stringify(value), false)
  }

  /** Tokens are joined before they are judged, and skipped where the joined text has been judged already. */
  #tokenLists({ path, logprobs, depth }: { path: string; logprobs: object; depth: number }, said: ReadonlySet<string>, emit: Emit): void {
    const { texts, rest } = tokenColumns(Array.isArray(logprobs) ? { content: logprobs } : logprobs)
    for (const [channel, text] of texts) if (text !== '' && !said.has(text)) emit(join(path, channel), text, false)
    this.#visit({ value: rest, path, key: 'tokens', parent: undefined, parentKey: '', depth, contained: false }, emit)
  }

  #freeKey(key: string): boolean {
    if (this.#freeKeys.has(key)) return true
    if (!isIdentifier(key) || this.#freeKeys.size >= FREE_KEYS) return false
    this.#freeKeys.add(key)
    return true
  }
}

interface Place {
  readonly value: unknown
  readonly path: string
  readonly key: string
  readonly parent: Record<string, unknown> | undefined
  readonly parentKey: string
  readonly depth: number
  readonly contained: boolean
}

function join(path: string, segment: string | number): string {
  return path === '' ? String(segment) : `${path}.${segment}`
}

function isMedia({ key, parent, parentKey }: Place, text: string): boolean {
  if (MEDIA_KEYS.has(key) || MEDIA_URL.test(text)) return true
  if (key === 'data') return parentKey === 'audio' || parentKey === 'inline_data' || parentKey === 'inlineData' || parent?.type === 'base64'
  return key === 'result' && parent?.type === 'image_generation_call'
}
