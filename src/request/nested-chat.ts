// Finds a chat that does not stand at the top of a body: a list of messages inside another object, in a list, under
// an unknown name, or in a JSON text, which may be encoded several times.
import { duplicateKeys } from '../utils/duplicate-keys.js'
import { isObject } from '../utils/json.js'
import { refuseCostly } from './body/json-cost.js'
import { trimmed } from './body/json-start.js'
import { tryParse, tryParseLines } from './body/parse.js'
import { isMessage, reading } from './message-shape.js'
import { type Found, inList, type Place, refuseHidden, toChatBody, unreadable, without } from './nested-chat-body.js'

/** The most objects and lists that are searched. A body of 1 MiB has at most 524,288. */
const MAX_CONTAINERS = 1_000_000
/** The most texts that begin and end like JSON but are not. */
const MAX_FAILED_TEXTS = 1000
const MAX_ENCODINGS = 8
/** The length of `[{"role":"","text":""}]` without its brackets. A shorter text holds no chat. */
const SHORTEST_CHAT = 21

const JSON_TEXT = /^(?:\{\s*["}]|\[\s*[[{"]|"[\s\\{["])/

/**
 * The first chat in a body, as a body of Chat Completions; undefined when there is none.
 * @throws LlamaGuardError `unreadable_request` for a body that may hide a chat from this search.
 */
export function nestedChat(body: unknown): Record<string, unknown> | undefined {
  const found = new Search(body).find()
  return found === undefined ? undefined : toChatBody(found)
}

/** Searches a body breadth first, so that the outermost list is found first. */
class Search {
  readonly #places: Place[] = []
  #failed = 0
  /** A list whose items have types but no speakers. It is used only when there is no better list. */
  #document: Found | undefined

  constructor(body: unknown) {
    this.#add(body, undefined, '', 'value')
  }

  find(): Found | undefined {
    for (let at = 0; at < this.#places.length; at += 1) {
      if (at === MAX_CONTAINERS) throw unreadable(`The body holds more than ${MAX_CONTAINERS} objects and lists`)
      const place = this.#places[at]!
      const { value } = place
      const found = Array.isArray(value)
        ? this.#list(place, value)
        : this.#object(place, value as Record<string, unknown>)
      if (found !== undefined) return found
    }
    return this.#document
  }

  #list(place: Place, items: readonly unknown[]): Found | undefined {
    let document = false
    for (const item of items) {
      if (!isObject(item)) continue
      const { speaker, words, typed } = reading(item)
      if (words && speaker !== undefined) return inList(place, items)
      document ||= words && typed
    }
    if (document) this.#document ??= inList(place, items)
    for (let at = 0; at < items.length; at += 1) this.#add(items[at], place, at, 'value')
    return undefined
  }

  /** An object of messages, which form parsers make of a long list, or a single message. */
  #object(place: Place, fields: Record<string, unknown>): Found | undefined {
    if (isMessage(fields)) return inList(place, [fields])
    const keys: string[] = []
    for (const key of Object.keys(fields)) {
      const value = fields[key]
      if (isMessage(value)) keys.push(key)
      if (key.length >= SHORTEST_CHAT) this.#text(key, place, key, 'name')
      this.#add(value, place, key, 'value')
    }
    if (keys.length === 0) return undefined
    for (const key of keys) refuseHidden({ ...place, parent: place, key })
    return { messages: keys.map((key) => fields[key]), fields: without(fields, keys), place, names: keys }
  }

  #add(value: unknown, parent: Place | undefined, key: string | number, as: Place['as']): void {
    if (typeof value === 'string') this.#text(value, parent, key, as === 'name' ? 'name' : 'text')
    else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !isEmptyList(value))
      this.#places.push({ value, parent, key, as, encodings: parent?.encodings ?? 0, repeated: false })
  }

  #text(text: string, parent: Place | undefined, key: string | number, as: 'text' | 'name'): void {
    let value: unknown = text
    let encodings = parent?.encodings ?? 0
    let repeated = false
    while (typeof value === 'string') {
      const json = value.length < SHORTEST_CHAT ? undefined : this.#parse(value)
      if (json === undefined) return
      repeated ||= json.repeated
      value = json.value
      encodings += 1
      if (encodings > MAX_ENCODINGS) throw unreadable(`The body holds JSON in JSON in ${MAX_ENCODINGS} layers`)
    }
    if (typeof value === 'object' && value !== null) this.#places.push({ value, parent, key, as, encodings, repeated })
  }

  /** `repeated` is true when an object of the text names a key twice. */
  #parse(text: string): { readonly value: unknown; readonly repeated: boolean } | undefined {
    const json = trimmed(text)
    if (!JSON_TEXT.test(json) || !/["\]}]$/.test(json.slice(-1))) return undefined
    refuseCostly(json)
    const parsed = tryParse(json)
    if (parsed !== undefined) return { value: parsed.value, repeated: duplicateKeys(json, parsed.value).size > 0 }
    const lines = json.includes('\n') ? tryParseLines(json) : undefined
    if (lines !== undefined) return { value: lines.values, repeated: lines.duplicates.size > 0 }
    this.#failed += 1
    if (this.#failed > MAX_FAILED_TEXTS)
      throw unreadable(`The body holds more than ${MAX_FAILED_TEXTS} texts that begin like JSON and are not`)
    return undefined
  }
}

function isEmptyList(value: object): boolean {
  return Array.isArray(value) && value.length === 0
}
