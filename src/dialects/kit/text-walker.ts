// Finds every string of a reply, in document order, so that no field is a way past the guard.
// Only a known metadata field whose value looks like an identifier is left out; prose in it is text like any other.
import { LlamaGuardError } from '../../errors.js'
import { tokenColumns } from './logprobs.js'
import { itemIndex } from './reply-texts.js'

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
  /** `logprobs` repeat the text token by token: they are judged joined, and only where they differ from it. */
  readonly tokenLists?: boolean
  /** Media in a reply cannot be read by the guard. */
  readonly refuseMedia?: boolean
  readonly code: 'unreadable_response'
}

/** `metadata` is true for prose found in a metadata field, which streams repeat in every event. */
export type Emit = (path: string, text: string, metadata: boolean) => void

export const MAX_DEPTH = 64
const MAX_NODES = 200_000
// One word per id, across many ids, would spell a sentence: so only so many different ones are free.
const FREE_VALUES = 128
const FREE_KEYS = 512

// Of every body and reply, so they are not worth counting.
const COMMON_KEYS = new Set([
  'messages',
  'content',
  'choices',
  'message',
  'delta',
  'text',
  'refusal',
  'annotations',
  'logprobs',
  'usage',
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
])

const IDENTIFIER = /^[\w.:/+=@-]{0,128}$/
const OPAQUE = /^[\w+/=-]*$/
const MEDIA_KEYS = new Set(['b64_json', 'partial_image_b64'])
const MEDIA_URL = /^\s*data:(?!text\/)[^,]{0,200};\s*base64\s*,/i

const nothing: Emit = () => undefined
// Shared while there are none, which is nearly always: never pushed to.
const NO_TOKENS: never[] = []

/** True for what cannot be prose: short and without white space. */
export function isIdentifier(text: string, maxLength = 128): boolean {
  return text.length <= maxLength && IDENTIFIER.test(text)
}

/** Walks values of one reply or stream. Stateful: what is free metadata is counted over its whole life. */
export class TextWalker {
  readonly #words: Vocabulary
  #free: Set<string> | undefined
  #freeKeys: Set<string> | undefined
  #nodes = 0
  #emit: Emit = nothing
  /** Where the walk is: joined only when there is something to tell, for most values say nothing. */
  #path: (string | number)[] = []
  #tokens: { path: readonly (string | number)[]; logprobs: object; depth: number }[] = NO_TOKENS
  #said: Set<string> | undefined
  #without: string | undefined

  constructor(words: Vocabulary) {
    this.#words = words
  }

  /**
   * Throws the vocabulary's code for a value too deep, too big or of a kind no guard reads. `emit` must not
   * walk. `without` names a key of `value` itself that is read elsewhere.
   */
  walk(value: unknown, emit: Emit, path = '', without?: string): void {
    this.#nodes = 0
    this.#tokens = NO_TOKENS
    this.#said = undefined
    this.#emit = emit
    this.#path = path === '' ? [] : [path]
    this.#without = without
    this.#visit(value, '', undefined, '', 0, false)
    // A token list may hold another one.
    for (let next = this.#tokens.shift(); next !== undefined; next = this.#tokens.shift()) this.#tokenLists(next)
    this.#emit = nothing
  }

  /** True when an identifier-like value may go unjudged, while there are few of them. */
  free(value: string): boolean {
    if (!isIdentifier(value)) return false
    this.#free ??= new Set()
    if (/^\d*$/.test(value) || this.#free.has(value)) return true
    if (this.#free.size >= FREE_VALUES) return false
    this.#free.add(value)
    return true
  }

  #bound(value: unknown, depth: number): void {
    this.#nodes += 1
    if (this.#nodes > MAX_NODES)
      throw new LlamaGuardError(this.#words.code, `The body holds more than ${MAX_NODES} values; send a smaller one.`)
    if (depth >= MAX_DEPTH && typeof value === 'object' && value !== null)
      throw new LlamaGuardError(this.#words.code, `The body is nested deeper than ${MAX_DEPTH} levels; flatten it.`)
  }

  #visit(
    value: unknown,
    key: string,
    parent: Record<string, unknown> | undefined,
    parentKey: string,
    depth: number,
    contained: boolean,
  ): void {
    this.#bound(value, depth)
    if (typeof value === 'string') return this.#string(value, key, parent, parentKey, contained)
    if (typeof value !== 'object' || value === null) return
    if (this.#words.tokenLists === true && key === 'logprobs') return this.#later(value, depth)
    if (depth > 0 && this.#words.json?.has(key) === true)
      return this.#jsonText(value, key, parent, parentKey, depth, contained)
    this.#children(value, key, parent, parentKey, depth, contained)
  }

  #children(
    value: object,
    key: string,
    parent: Record<string, unknown> | undefined,
    parentKey: string,
    depth: number,
    contained: boolean,
  ): void {
    const path = this.#path
    if (Array.isArray(value)) {
      const items = value as unknown[]
      for (let position = 0; position < items.length; position += 1) {
        const item = items[position]
        path.push(itemIndex(item, position))
        this.#visit(item, key, parent, parentKey, depth + 1, contained)
        path.pop()
      }
      return
    }
    const object = value as Record<string, unknown>
    const keys = Object.keys(object)
    for (let position = 0; position < keys.length; position += 1) {
      const name = keys[position]!
      if (depth === 0 && name === this.#without) continue
      const named = this.#keyMayStayUnjudged(name)
      // A path is shown in logs, so a key that may be prose is only counted in it.
      path.push(named ? name : `*${position}`)
      if (!named && name !== '') this.#tell(`${path.join('.')}.key`, name, false)
      this.#visit(object[name], name, object, key, depth + 1, contained || this.#words.containers?.has(name) === true)
      path.pop()
    }
  }

  #string(
    text: string,
    key: string,
    parent: Record<string, unknown> | undefined,
    parentKey: string,
    contained: boolean,
  ): void {
    if (text === '') return
    if (this.#words.refuseMedia === true && isMedia(key, parent, parentKey, text)) {
      throw new LlamaGuardError(
        this.#words.code,
        'The reply carries audio or image data, which the guard cannot read; ask the model for text.',
      )
    }
    if (this.#words.opaque?.has(key) === true && OPAQUE.test(text)) return
    const metadata = contained || this.#words.metadata.has(key)
    if (metadata && (key === 'obfuscation' ? isIdentifier(text) : this.free(text))) return
    this.#tell(this.#path.join('.'), text, metadata)
  }

  #tell(path: string, text: string, metadata: boolean): void {
    if (this.#words.tokenLists === true && this.#emit !== nothing) (this.#said ??= new Set()).add(text)
    this.#emit(path, text, metadata)
  }

  #jsonText(
    value: object,
    key: string,
    parent: Record<string, unknown> | undefined,
    parentKey: string,
    depth: number,
    contained: boolean,
  ): void {
    // Depth and media are checked first: JSON.stringify recurses without a bound of its own.
    const emit = this.#emit
    this.#emit = nothing
    this.#children(value, key, parent, parentKey, depth, contained)
    this.#emit = emit
    if (Object.keys(value).length > 0) this.#tell(this.#path.join('.'), JSON.stringify(value), false)
  }

  #later(logprobs: object, depth: number): void {
    if (this.#tokens === NO_TOKENS) this.#tokens = []
    this.#tokens.push({ path: [...this.#path], logprobs, depth })
  }

  /** Tokens are joined before they are judged, and skipped where the joined text has been judged already. */
  #tokenLists({
    path,
    logprobs,
    depth,
  }: {
    path: readonly (string | number)[]
    logprobs: object
    depth: number
  }): void {
    this.#path = [...path]
    const { texts, rest } = tokenColumns(Array.isArray(logprobs) ? { content: logprobs } : logprobs)
    for (const [channel, text] of texts)
      if (text !== '' && this.#said?.has(text) !== true) this.#emit([...path, channel].join('.'), text, false)
    this.#visit(rest, 'tokens', undefined, '', depth, false)
  }

  #keyMayStayUnjudged(key: string): boolean {
    if (COMMON_KEYS.has(key) || this.#words.metadata.has(key)) return true
    this.#freeKeys ??= new Set()
    if (this.#freeKeys.has(key)) return true
    if (!isIdentifier(key) || this.#freeKeys.size >= FREE_KEYS) return false
    this.#freeKeys.add(key)
    return true
  }
}

/** Inline media, in whatever field. */
export function looksLikeMedia(text: string): boolean {
  return MEDIA_URL.test(text)
}

function isMedia(key: string, parent: Record<string, unknown> | undefined, parentKey: string, text: string): boolean {
  if (MEDIA_KEYS.has(key) || looksLikeMedia(text)) return true
  if (key === 'data')
    return (
      parentKey === 'audio' || parentKey === 'inline_data' || parentKey === 'inlineData' || parent?.type === 'base64'
    )
  return key === 'result' && parent?.type === 'image_generation_call'
}
