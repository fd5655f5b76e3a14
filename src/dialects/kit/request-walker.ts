// Finds every string of a request, keys and values, and passes on all that the closed list of request-keys.ts and
// fixed-values.ts does not name.
import { isObject } from '../../utils/json.js'
import { spellsWords } from './hidden-text.js'
import {
  isDataUrl,
  isHolder,
  isPicture,
  isPictureKey,
  readDataUrl,
  readPictures,
  type Sink,
  unsupported,
} from './media.js'
import { refuseTokens, tokens } from './number-lists.js'
import { checkBounds } from './request-bounds.js'
import { KNOWN_KEYS } from './request-keys.js'
import { JSON_KEYS, TOKEN_SETTINGS } from './special-keys.js'
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
  #sink: Sink = { text: () => undefined, picture: () => undefined }
  #json = false
  #top = false

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
    if (key !== '' && !KNOWN_KEYS.has(key)) sink.text(key)
    this.#named(value, key, '', undefined)
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
    if (text === '' || this.#unjudged.has(text, { key, parentKey, type, top: this.#top })) return
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
}
