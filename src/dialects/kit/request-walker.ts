// Finds every string of a request, keys and values, and passes on all that the closed list of request-vocabulary.ts
// does not name. It checks the bounds of a body before it reads the body.
import { LlamaGuardError } from '../../errors.js'
import { isObject } from '../../utils/json.js'
import { isBlob, isId, spellsWords } from './identifiers.js'
import {
  isDataUrl,
  isHolder,
  isPicture,
  isPictureKey,
  readDataUrl,
  readPictures,
  type Sink,
  unreadable,
  unsupported,
} from './media.js'
import { isModelName } from './model-names.js'
import { refuseTokens, tokens } from './number-lists.js'
import {
  BLOBS_OF_TYPE,
  BLOBS_OF_VENDOR,
  FIXED_VALUES,
  ID_KEYS,
  JSON_KEYS,
  KNOWN_KEYS,
  MODEL_KEYS,
  PROSE_KEYS,
  TOKEN_SETTINGS,
} from './request-vocabulary.js'

export interface Place {
  /** The field that holds the value. */
  readonly key?: string
  /** True where an object is the arguments of a tool call or a schema. It is then judged as JSON text. */
  readonly json?: boolean
  /** True for a top-level field, false within a message. */
  readonly top?: boolean
}

const MAX_DEPTH = 64
/** The most values and names together. Each costs more to read than a character of prose. */
const MAX_NODES = 100_000
// Many ids with one word each would spell a sentence, so only this many go unjudged in one request.
const MAX_IDS = 64
const MAX_NUMBERS = 8
const MAX_BLOBS = 128
const MAX_BLOB_CHARS = 512 * 1024

const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype'])
const SOUND_KEYS = new Set(['input_audio', 'audio_url', 'audios', 'video', 'videos', 'video_url', 'input_video'])
const NUMBER = /^[+-]?\d{1,20}(?:\.\d{1,20})?(?:ms|s|m|h)?$/
const DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/
const MAX_STOP = 32

/** Walks the values of one request. It has state, because unjudged values are counted over the whole request. */
export class RequestWalker {
  readonly #ids = new Set<string>()
  #numbers = 0
  #blobs = 0
  #blobChars = 0
  #freeBlobs = 0
  #nodes = 0
  #sink: Sink = { text: () => undefined, picture: () => undefined }
  #json = false
  #top = false

  /**
   * @throws LlamaGuardError `unreadable_request` for a body that is too deep, too big, or has keys that a merge would
   * make a prototype.
   */
  constructor(body: unknown) {
    this.#check(body, 0)
  }

  /** Sealed or signed data that went unjudged: only the vendor can read it. */
  get blobs(): number {
    return this.#freeBlobs
  }

  /** Throws `unreadable_request` or `unsupported_content` for what no guard can read. `sink` must not walk. */
  read(value: unknown, sink: Sink, { key = '', json = false, top = false }: Place = {}): void {
    this.#sink = sink
    this.#json = json
    this.#top = top
    if (key !== '' && !KNOWN_KEYS.has(key)) sink.text(key)
    this.#named(value, key, '', undefined)
  }

  #check(value: unknown, depth: number): void {
    this.#nodes += 1
    if (this.#nodes > MAX_NODES) throw unreadable(`The body holds more than ${MAX_NODES} values and names`)
    if (typeof value !== 'object' || value === null) return
    if (depth >= MAX_DEPTH) throw unreadable(`The body is nested deeper than ${MAX_DEPTH} levels`)
    if (Array.isArray(value)) {
      for (const item of value as unknown[]) this.#check(item, depth + 1)
      return
    }
    for (const name of Object.keys(value)) {
      this.#nodes += 1
      if (PROTOTYPE_KEYS.has(name))
        throw new LlamaGuardError(
          'unreadable_request',
          'The body has a key named __proto__, constructor or prototype; remove it.',
        )
      this.#check((value as Record<string, unknown>)[name], depth + 1)
    }
  }

  #visit(value: unknown, key: string, parentKey: string, type: unknown): void {
    if (typeof value === 'string') this.#string(value, key, parentKey, type)
    else if (typeof value === 'number') this.#number(value, KNOWN_KEYS.has(key))
    else if (Array.isArray(value)) {
      refuseTokens(value, key)
      this.#items(value, key, parentKey, type)
    } else if (typeof value === 'object' && value !== null) this.#object(value as Record<string, unknown>, key)
  }

  /** Reads the items of a list. Lists within it have been checked together with it. */
  #items(list: readonly unknown[], key: string, parentKey: string, type: unknown): void {
    for (const item of list)
      if (Array.isArray(item)) this.#items(item, key, parentKey, type)
      else if (typeof item === 'number') this.#number(item, TOKEN_SETTINGS.has(key))
      else this.#visit(item, key, parentKey, type)
  }

  #object(object: Record<string, unknown>, key: string): void {
    const names = Object.keys(object)
    // A form parser has made an object of a list.
    if (names.length > 0 && names.every((name) => /^\d/.test(name))) refuseTokens(Object.values(object), key)
    for (const name of names) {
      // The keys are token ids, and the values say how much likelier or less likely each becomes.
      if (key === 'logit_bias' && /^\d{1,9}$/.test(name) && typeof object[name] === 'number') continue
      if (!KNOWN_KEYS.has(name) && name !== '') this.#sink.text(name)
      this.#named(object[name], name, key, object.type)
    }
  }

  /** The value of a field. */
  #named(value: unknown, name: string, parentKey: string, type: unknown): void {
    if (value === null || value === undefined) return
    if (this.#json && isObject(value) && (JSON_KEYS.has(name) || (name === 'format' && parentKey === '')))
      return this.#jsonText(value)
    if (isPictureKey(name) && this.#isPictures(value, !this.#top && name.toLowerCase() === 'images')) {
      const place = { json: this.#json, top: this.#top }
      const sink = this.#sink
      return readPictures(value, sink, (rest) => this.read(rest, sink, place))
    }
    if (!this.#top && SOUND_KEYS.has(name)) throw unsupported('audio or video')
    this.#visit(value, name, parentKey, type)
  }

  /** True for images. `images` of a message hold nothing else; an app may use the other names for other values. */
  #isPictures(value: unknown, nothingElse: boolean): boolean {
    if (typeof value === 'string') return value !== '' && (nothingElse || isPicture(value))
    if (Array.isArray(value))
      return value.length > 0 && (value as unknown[]).every((item) => this.#isPictures(item, nothingElse))
    return isObject(value) && (nothingElse || isHolder(value))
  }

  #jsonText(value: Record<string, unknown>): void {
    if (Object.keys(value).length === 0) return
    this.#sink.text(JSON.stringify(value))
    this.#withinJson(value)
  }

  /** Reads what JSON text does not show as words. Its numbers are mostly data. */
  #withinJson(value: unknown): void {
    if (typeof value === 'string') {
      if (isDataUrl(value)) readDataUrl(value, this.#sink)
    } else if (typeof value === 'object' && value !== null) {
      const items: unknown[] = Object.values(value)
      if (spellsWords(items.filter((item) => typeof item === 'number'))) throw tokens()
      for (const item of items) this.#withinJson(item)
    }
  }

  #string(text: string, key: string, parentKey: string, type: unknown): void {
    if (text === '' || this.#free(text, key, parentKey, type)) return
    if (key === 'prompt_embeds' || key === 'inputs_embeds') throw tokens()
    if (isDataUrl(text)) readDataUrl(text, this.#sink)
    else this.#sink.text(text)
  }

  /**
   * A number in a list or under an unknown name is judged as it is printed. Other numbers are settings and positions.
   */
  #number(value: number, setting: boolean): void {
    if (!setting) this.#sink.text(String(value))
  }

  /** True for a string that the closed list lets pass. */
  #free(text: string, key: string, parentKey: string, type: unknown): boolean {
    if (!KNOWN_KEYS.has(key) || PROSE_KEYS.has(key) || parentKey === 'variables')
      return this.#isFreeBlob(text, key, parentKey, type)
    if (FIXED_VALUES.has(text)) return true
    if (this.#top && text.length <= 48 && NUMBER.test(text)) return (this.#numbers += 1) <= MAX_NUMBERS
    if (text.length <= 48 && DATE.test(text)) return this.#counts(text)
    const setting = this.#top && (parentKey === '' || parentKey === 'options')
    if (setting && (key === 'stop' || key === 'stop_sequences')) return isStop(text) && this.#counts(text)
    if (setting && MODEL_KEYS.has(key)) return isModelName(text) && this.#counts(text)
    if (ID_KEYS.has(key)) return isId(text, !this.#top) && this.#counts(text)
    return this.#isFreeBlob(text, key, parentKey, type)
  }

  #counts(id: string): boolean {
    return this.#ids.has(id) || this.#ids.add(id).size <= MAX_IDS
  }

  #isFreeBlob(text: string, key: string, parentKey: string, type: unknown): boolean {
    if (BLOBS_OF_TYPE.get(type)?.has(key) !== true && BLOBS_OF_VENDOR.get(parentKey)?.has(key) !== true) return false
    if (this.#top) return false
    this.#blobs += 1
    this.#blobChars += text.length
    const free = this.#blobs <= MAX_BLOBS && this.#blobChars <= MAX_BLOB_CHARS && isBlob(text)
    if (free) this.#freeBlobs += 1
    return free
  }
}

/** True for a stop string of punctuation or markers. The model never sees stop strings. */
function isStop(text: string): boolean {
  const stop = text.length <= MAX_STOP * 2 ? text.trim() : text
  return stop.length <= MAX_STOP && /^[!-~]*$/.test(stop)
}
