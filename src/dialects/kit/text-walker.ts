// Finds every string of a reply, in document order, so that no field is a way past the guard.
// Only names of fields and values of reply-vocabulary.ts are left out, and ids in the metadata fields of a dialect.
import { Buffer } from 'node:buffer'
import { LlamaGuardError } from '../../errors.js'
import { isBlobOfAnyLength } from './blobs.js'
import { spellsWords } from './hidden-text.js'
import { BYTES, tokenColumns } from './logprobs.js'
import { RepeatedTokens } from './repeated-tokens.js'
import { isMedia } from './reply-media.js'
import { ReplyNames } from './reply-names.js'
import { itemIndex } from './reply-texts.js'
import { UnjudgedMetadata } from './unjudged-metadata.js'
import type { Vocabulary } from './vocabulary.js'

/** `metadata` is true for prose in a metadata field, which streams repeat in every event. */
export type Emit = (path: string, text: string, metadata: boolean) => void

export interface Walk {
  /** The path of the value. Default: none. */
  readonly path?: string
  /** A key of the value that is read elsewhere. */
  readonly without?: string | undefined
  /**
   * Tells values apart whose token lists are lists of their own, as their texts are: choices, and parts of a stream.
   * Default: the same for all.
   */
  readonly place?: string
}

/** A token list that is read after the text, to know what it repeats. */
interface TokenList {
  readonly path: readonly (string | number)[]
  readonly logprobs: object
  readonly depth: number
}

export const MAX_DEPTH = 64
const MAX_NODES = 200_000

const nothing: Emit = () => undefined
// Shared while there are none, which is nearly always. Nothing may be pushed to it.
const NO_TOKENS: never[] = []

/** Walks the values of one reply or stream. It has state, because unjudged metadata is counted over the whole reply. */
export class TextWalker {
  readonly #words: Vocabulary
  readonly #unjudged = new UnjudgedMetadata()
  readonly #names: ReplyNames
  #nodes = 0
  #emit: Emit = nothing
  /** The path of the current value. It is joined only for a string that is emitted, because most values are not. */
  #path: (string | number)[] = []
  #tokens: TokenList[] = NO_TOKENS
  /** The path of each text that was told in this walk. */
  #said: Map<string, string> | undefined
  readonly #repeated = new RepeatedTokens()
  #place = ''
  #without: string | undefined
  #heldBack = false

  constructor(words: Vocabulary) {
    this.#words = words
    this.#names = new ReplyNames(words.metadata)
  }

  /**
   * `emit` must not call the walker.
   * @throws LlamaGuardError with the vocabulary's code for a value that is too deep, too big or of a kind that no
   * guard reads.
   */
  walk(value: unknown, emit: Emit, { path = '', without, place = '' }: Walk = {}): void {
    this.#nodes = 0
    this.#tokens = NO_TOKENS
    this.#said = undefined
    this.#place = place
    this.#emit = emit
    this.#path = path === '' ? [] : [path]
    this.#without = without
    this.#visit(value, '', undefined, '', 0, false)
    // A token list may hold another one.
    for (let next = this.#tokens.shift(); next !== undefined; next = this.#tokens.shift()) this.#tellTokens(next)
    this.#repeated.end(this.#place)
    this.#emit = nothing
  }

  /**
   * True when a text of what has been walked since the last call went unjudged because of what came before it. The same
   * text may have to be judged the next time.
   */
  takeHeldBack(): boolean {
    const heldBack = this.#heldBack
    this.#heldBack = false
    return heldBack
  }

  /** Tells the token lists of this place so far, and from here on those of every place, whatever they repeat. */
  tellTokens(place: string, emit: Emit): void {
    for (const [name, text] of this.#repeated.tellAll(place)) emit(name, text, false)
  }

  /** True for a value of a metadata field that may go unjudged. */
  mayStayUnjudged(value: string, key = ''): boolean {
    return this.#unjudged.has(value, key)
  }

  #checkBounds(value: unknown, depth: number): void {
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
    this.#checkBounds(value, depth)
    if (typeof value === 'string') return this.#string(value, key, parent, parentKey, contained)
    if (typeof value !== 'object' || value === null) return
    if (this.#words.tokenLists === true && key === 'logprobs') return this.#keepTokens(value, depth)
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
      if (typeof items[0] === 'number') this.#tellCodes(items)
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
      const shown = this.#names.isShown(name)
      if (name !== '' && !this.#names.isKnown(name)) this.#tellKey(name, shown)
      // A path is shown in logs, so a key that may be prose is only counted in it.
      path.push(shown ? name : `*${position}`)
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
    if (this.#words.opaque?.has(key) === true && isBlobOfAnyLength(text)) return
    const metadata = contained || this.#words.metadata.has(key)
    if (metadata && key === 'obfuscation') return this.#tellPadding(text)
    if (metadata && this.#unjudged.has(text, key)) return
    this.#tell(this.#path.join('.'), text, metadata)
  }

  /** Tells a key that no API names. The keys of one object, one after the other, are a text of their own. */
  #tellKey(name: string, shown: boolean): void {
    if (this.#names.mayTell(name)) this.#tell([...this.#path, 'key'].join('.'), name, shown)
  }

  /** Padding hides the length of an event. It is random and other in every event, so words in it may be cut. */
  #tellPadding(text: string): void {
    const words = this.#unjudged.wordsOfPadding(text)
    if (words === undefined) this.#heldBack = true
    else this.#tell(this.#path.join('.'), words, true)
  }

  /** Tells the text that a list of character codes spells. */
  #tellCodes(items: readonly unknown[]): void {
    const codes = items.filter((item) => typeof item === 'number')
    if (spellsWords(codes)) this.#tell([...this.#path, 'codes'].join('.'), Buffer.from(codes).toString('latin1'), false)
  }

  #tell(path: string, text: string, metadata: boolean): void {
    if (this.#words.tokenLists === true && this.#emit !== nothing) {
      ;(this.#said ??= new Map()).set(text, path)
      this.#repeated.note(path)
    }
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
    // Depth and media are checked first, because JSON.stringify recurses without a bound of its own.
    const emit = this.#emit
    this.#emit = nothing
    this.#children(value, key, parent, parentKey, depth, contained)
    this.#emit = emit
    if (Object.keys(value).length > 0) this.#tell(this.#path.join('.'), JSON.stringify(value), false)
  }

  #keepTokens(logprobs: object, depth: number): void {
    if (this.#tokens === NO_TOKENS) this.#tokens = []
    this.#tokens.push({ path: [...this.#path], logprobs, depth })
  }

  /** Joins tokens before they are judged. A joined text that was judged already is skipped. */
  #tellTokens({ path, logprobs, depth }: TokenList): void {
    this.#path = [...path]
    const { texts, rest } = tokenColumns(Array.isArray(logprobs) ? { content: logprobs } : logprobs)
    for (const [channel, text] of texts) {
      if (text === '') continue
      const name = [...path, channel].join('.')
      const words = this.#repeated.wordsOf(this.#place, name, text, this.#sourceOf(name, text, channel, texts))
      if (words === undefined) this.#heldBack = true
      else this.#emit(name, words, false)
    }
    this.#visit(rest, 'tokens', undefined, '', depth, false)
  }

  /** What a column of tokens repeats: the column whose bytes it is, or a text. */
  #sourceOf(name: string, text: string, channel: string, texts: ReadonlyMap<string, string>): string | undefined {
    const repeatsTokens = channel.endsWith(BYTES) && texts.get(channel.slice(0, -BYTES.length)) === text
    return repeatsTokens ? name.slice(0, -BYTES.length) : this.#said?.get(text)
  }
}
