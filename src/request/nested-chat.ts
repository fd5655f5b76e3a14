// Finds a chat that does not stand at the top of a body: a list of messages inside another object, in a list, under
// an unknown name, or in a JSON text, which may be encoded several times. The chat is converted to the form of Chat
// Completions, so that the chat dialect reads it: the list becomes `messages`, the fields beside it stay, and the
// rest of the body goes into one further field.
import { LlamaGuardError } from '../errors.js'
import { REPEATED } from '../utils/duplicate-keys.js'
import { isObject } from '../utils/json.js'
import { refuseCostly } from './body/json-cost.js'
import { trimmed } from './body/json-start.js'
import { tryParse, tryParseLines } from './body/parse.js'

/** The most objects and lists that are searched. A body of 1 MiB has at most 524,288. */
const MAX_CONTAINERS = 1_000_000
/** The most texts that begin and end like JSON but are not. */
const MAX_FAILED_TEXTS = 1000
const MAX_ENCODINGS = 8
/** The length of `[{"role":"","text":""}]` without its brackets. A shorter text holds no chat. */
const SHORTEST_CHAT = 21

/** The speaker of each role name that clients use. */
const SPEAKERS = new Map([
  ...['user', 'human', 'humanmessage', 'customer', 'client'].map((name) => [name, 'user'] as const),
  ...['assistant', 'ai', 'aimessage', 'bot', 'model', 'agent', 'chatbot'].map((name) => [name, 'assistant'] as const),
  ...['system', 'developer', 'systemmessage'].map((name) => [name, 'system'] as const),
  ...['tool', 'function', 'toolmessage', 'functionmessage'].map((name) => [name, 'tool'] as const),
])
const SPEAKING = new Set(['role', 'type'])
const WORDS = new Set(['content', 'parts', 'text'])
const LONGEST_NAME = 'content'.length
const INITIALS = new Set(Array.from('rtcpRTCP', (letter) => letter.charCodeAt(0)))
const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype'])
const JSON_TEXT = /^(?:\{\s*["}]|\[\s*[[{"]|"[\s\\{["])/

/** The position of a value in the body. */
interface Place {
  readonly value: unknown
  readonly parent: Place | undefined
  readonly key: string | number
  /** `text`: the value was parsed from the text in this place. `name`: from the name of a field. */
  readonly as: 'value' | 'text' | 'name'
  readonly encodings: number
}

interface Found {
  readonly messages: readonly unknown[]
  /** The fields beside the messages: settings, tools. */
  readonly fields: Record<string, unknown>
  /** The place of the chat. The rest of the body is everything outside it. */
  readonly place: Place
}

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
    if ((place.parent === undefined || place.as !== 'value') && isMessage(fields)) return inList(place, [fields])
    const keys: string[] = []
    for (const key of Object.keys(fields)) {
      const value = fields[key]
      if (isMessage(value)) keys.push(key)
      if (key.length >= SHORTEST_CHAT) this.#text(key, place, key, 'name')
      this.#add(value, place, key, 'value')
    }
    if (keys.length === 0) return undefined
    for (const key of keys) refuseHidden({ ...place, parent: place, key })
    return { messages: keys.map((key) => fields[key]), fields: without(fields, keys), place }
  }

  #add(value: unknown, parent: Place | undefined, key: string | number, as: Place['as']): void {
    if (typeof value === 'string') this.#text(value, parent, key, as === 'name' ? 'name' : 'text')
    else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !isEmptyList(value))
      this.#places.push({ value, parent, key, as, encodings: parent?.encodings ?? 0 })
  }

  #text(text: string, parent: Place | undefined, key: string | number, as: 'text' | 'name'): void {
    let value: unknown = text
    let encodings = parent?.encodings ?? 0
    while (typeof value === 'string') {
      const json = value.length < SHORTEST_CHAT ? undefined : this.#parse(value)
      if (json === undefined) return
      value = json.value
      encodings += 1
      if (encodings > MAX_ENCODINGS) throw unreadable(`The body holds JSON in JSON in ${MAX_ENCODINGS} layers`)
    }
    if (typeof value === 'object' && value !== null) this.#places.push({ value, parent, key, as, encodings })
  }

  #parse(text: string): { readonly value: unknown } | undefined {
    const json = trimmed(text)
    if (!JSON_TEXT.test(json) || !/["\]}]$/.test(json.slice(-1))) return undefined
    refuseCostly(json)
    const parsed = tryParse(json)
    if (parsed !== undefined) return parsed
    const lines = json.includes('\n') ? tryParseLines(json) : undefined
    if (lines !== undefined) return { value: lines }
    this.#failed += 1
    if (this.#failed > MAX_FAILED_TEXTS)
      throw unreadable(`The body holds more than ${MAX_FAILED_TEXTS} texts that begin like JSON and are not`)
    return undefined
  }
}

function isMessage(value: unknown): boolean {
  if (!isObject(value)) return false
  const { speaker, words } = reading(value)
  return words && speaker !== undefined
}

/** The parts of a message that an object has. Servers in other languages match names in any case. */
function reading(item: Record<string, unknown>): { speaker: string | undefined; words: boolean; typed: boolean } {
  let speaker: string | undefined
  let words = false
  let typed = false
  for (const key of Object.keys(item)) {
    if (!INITIALS.has(key.charCodeAt(0))) continue
    const name = plainName(key)
    const value = item[key]
    if (SPEAKING.has(name) && typeof value === 'string') {
      typed = true
      speaker ??= speakerOf(value)
    } else if (WORDS.has(name) && (typeof value === 'string' || (typeof value === 'object' && value !== null)))
      words = true
  }
  return { speaker, words, typed }
}

function plainName(key: string): string {
  if (SPEAKING.has(key) || WORDS.has(key)) return key
  // A NUL stands before the number of a key that is named twice.
  const end = key.indexOf(REPEATED)
  const name = end === -1 ? key : key.slice(0, end)
  return name.length > LONGEST_NAME ? '' : name.toLowerCase()
}

function speakerOf(name: string): string | undefined {
  return name.length > 32 ? undefined : SPEAKERS.get(name.trim().toLowerCase())
}

/** A list, with the fields of the object that holds it. */
function inList(place: Place, messages: readonly unknown[]): Found {
  refuseHidden(place)
  const holder = place.as === 'value' ? place.parent : undefined
  return isObject(holder?.value)
    ? { messages, fields: without(holder.value, [String(place.key)]), place: holder }
    : { messages, fields: {}, place }
}

function toChatBody({ messages, fields, place }: Found): Record<string, unknown> {
  const { messages: other, envelope, ...known } = fields
  const rest = [other, envelope, restOf(place)].filter((value) => value !== undefined)
  return { ...known, messages: messages.map(toMessage), ...(rest.length > 0 && { envelope: rest }) }
}

/** The dialect reads a message with a known speaker. Any other item counts as words of a user. */
function toMessage(item: unknown): Record<string, unknown> {
  if (isObject(item)) {
    const speaker = (typeof item.role === 'string' ? speakerOf(item.role) : undefined) ?? speakerOfType(item)
    if (speaker !== undefined) return { ...item, role: speaker }
  }
  return { role: 'user', item }
}

function speakerOfType({ role, type }: Record<string, unknown>): string | undefined {
  return role === undefined && typeof type === 'string' ? speakerOf(type) : undefined
}

/** The body without the value in this place; undefined when nothing is left. */
function restOf(place: Place): unknown {
  let rest: unknown
  for (let at = place; at.parent !== undefined; at = at.parent) {
    const { key } = at
    const { value } = at.parent
    if (Array.isArray(value)) rest = (value as unknown[]).map((item, position) => (position === key ? rest : item))
    else if (rest === undefined) rest = without(value, [String(key)])
    else rest = { ...(value as object), [key]: rest }
    if (Object.values(rest as object).every((item) => item === undefined)) rest = undefined
  }
  return rest
}

function refuseHidden(place: Place): void {
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) {
    if (at.as === 'name' || PROTOTYPE_KEYS.has(String(at.key)))
      throw unreadable('A chat stands where only some parsers find it: in the name of a field or in a prototype')
  }
}

function without(object: unknown, keys: readonly string[]): Record<string, unknown> {
  const gone = new Set(keys)
  return Object.fromEntries(Object.entries(object as object).filter(([key]) => !gone.has(key)))
}

function isEmptyList(value: object): boolean {
  return Array.isArray(value) && value.length === 0
}

function unreadable(what: string): LlamaGuardError {
  return new LlamaGuardError('unreadable_request', `${what}; send a chat in the form its API describes.`)
}
