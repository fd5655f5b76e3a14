// Finds every string of a request, keys and values, and passes on all that the closed list of request-keys.ts and
// fixed-values.ts does not name.
import { isObject } from '../../utils/json.js'
import { CharacterCodes } from './character-codes.js'
import { spellsWords } from './hidden-text.js'
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
import { refuseTokens, tokens } from './number-lists.js'
import { checkBounds } from './request-bounds.js'
import { KNOWN_KEYS } from './request-keys.js'
import { ID_KEYS, JSON_KEYS, TOKEN_SETTINGS } from './special-keys.js'
import { UnjudgedValues } from './unjudged-values.js'

export interface Place {
  /** The field that holds the value. */
  readonly key?: string
  /** True where an object is the arguments of a tool call or a schema. It is then judged as JSON text. */
  readonly json?: boolean
  /** True for a top-level field, false within a message. */
  readonly top?: boolean
}

const SOUND_KEYS = new Set(['input_audio', 'audio_url', 'audios', 'video', 'videos', 'video_url', 'input_video'])

/** Walks the values of one request. It has state, because unjudged values are counted over the whole request. */
export class RequestWalker {
  readonly #unjudged = new UnjudgedValues()
  readonly #codes = new CharacterCodes()
  #sink: Sink = { text: () => undefined, picture: () => undefined }
  #json = false
  #top = false
  /** The value of a top-level field `options`: what stands in it are settings like those beside it. */
  #options: unknown

  /**
   * @throws LlamaGuardError `unreadable_request` for a body that is too deep, too big, or has keys that a merge would
   * make a prototype.
   */
  constructor(body: unknown) {
    checkBounds(body)
  }

  /** Sealed or signed data that went unjudged: only the vendor can read it. */
  get blobs(): number {
    return this.#unjudged.blobs
  }

  /** Throws `unreadable_request` or `unsupported_content` for what no guard can read. `sink` must not walk. */
  read(value: unknown, sink: Sink, { key = '', json = false, top = false }: Place = {}): void {
    this.#sink = sink
    this.#json = json
    this.#top = top
    this.#options = top && key === 'options' ? value : undefined
    // Servers in Go and .NET match names in any case, and take the last one.
    if (!top && key !== 'role' && key.toLowerCase() === 'role') throw unreadable('A message names its speaker twice')
    if (key !== '' && !KNOWN_KEYS.has(key)) sink.text(key)
    this.#named(value, key, undefined, undefined)
  }

  /** `parentKey` is undefined for a top-level setting and for what a reader has taken from its object. */
  #visit(value: unknown, key: string, parentKey: string | undefined, type: unknown): void {
    if (typeof value === 'string') this.#string(value, key, parentKey, type)
    else if (typeof value === 'number') this.#number(value, key, KNOWN_KEYS.has(key))
    else if (Array.isArray(value)) {
      if (!this.#isTokenSetting(key, parentKey)) refuseTokens(value, key)
      this.#items(value, key, parentKey, type)
    } else if (typeof value === 'object' && value !== null)
      this.#object(value as Record<string, unknown>, key, parentKey)
  }

  /** Reads the items of a list. Lists within it have been checked together with it. */
  #items(list: readonly unknown[], key: string, parentKey: string | undefined, type: unknown): void {
    for (const item of list)
      if (Array.isArray(item)) this.#items(item, key, parentKey, type)
      else if (typeof item !== 'number') this.#visit(item, key, parentKey, type)
      else if (!this.#isTokenSetting(key, parentKey)) this.#number(item, key, false)
  }

  #isTokenSetting(key: string, parentKey: string | undefined): boolean {
    return this.#top && parentKey === undefined && TOKEN_SETTINGS.has(key)
  }

  #object(object: Record<string, unknown>, key: string, parentKey: string | undefined): void {
    const names = Object.keys(object)
    // The keys are token ids, and the values say how much likelier or less likely each becomes.
    const biases = key === 'logit_bias' && this.#isTokenSetting(key, parentKey)
    const holder = object === this.#options ? undefined : key
    // A form parser has made an object of a list.
    if (names.length > 0 && names.every((name) => /^\d/.test(name)) && !biases) refuseTokens(Object.values(object), key)
    for (const name of names) {
      if (biases && /^\d{1,9}$/.test(name) && typeof object[name] === 'number') continue
      if (!KNOWN_KEYS.has(name) && name !== '') this.#sink.text(name)
      this.#named(object[name], name, holder, object.type)
    }
  }

  /** The value of a field. */
  #named(value: unknown, name: string, parentKey: string | undefined, type: unknown): void {
    if (value === null || value === undefined) return
    if (this.#json && isObject(value) && (JSON_KEYS.has(name) || (name === 'format' && (parentKey ?? '') === '')))
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

  #string(text: string, key: string, parentKey: string | undefined, type: unknown): void {
    if (text === '') return
    if (this.#unjudged.has(text, { key, parentKey, type, top: this.#top })) {
      if (ID_KEYS.has(key)) this.#code(text, key)
      return
    }
    if (key === 'prompt_embeds' || key === 'inputs_embeds') throw tokens()
    if (isDataUrl(text)) readDataUrl(text, this.#sink)
    else this.#sink.text(text)
  }

  /**
   * A number in a list or under an unknown name is judged as it is printed. Other numbers are settings and positions.
   */
  #number(value: number, key: string, setting: boolean): void {
    if (setting) this.#code(String(value), key)
    else this.#sink.text(String(value))
  }

  #code(number: string, key: string): void {
    for (const text of this.#codes.judged(number, key)) this.#sink.text(text)
  }
}
