// Converts a chat that was found inside a body to the form of Chat Completions: the list becomes `messages`, the fields
// beside it stay, and the rest of the body goes into one further field.
import { KNOWN_KEYS, SYSTEM_FIELDS } from '../dialects/kit/request-keys.js'
import { LlamaGuardError } from '../errors.js'
import { isObject } from '../utils/json.js'
import { toMessage } from './message-shape.js'

const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

/** The position of a value in the body. */
export interface Place {
  readonly value: unknown
  readonly parent: Place | undefined
  readonly key: string | number
  /** `text`: the value was parsed from the text in this place. `name`: from the name of a field. */
  readonly as: 'value' | 'text' | 'name'
  readonly encodings: number
  /** True for a text in which an object names a key twice. */
  readonly repeated: boolean
}

/** A chat and its place in the body. */
export interface Found {
  readonly messages: readonly unknown[]
  /** The fields beside the messages: settings, tools. */
  readonly fields: Record<string, unknown>
  /** The place of the chat. The rest of the body is everything outside it. */
  readonly place: Place
  /** The names under which the messages stand. */
  readonly names: readonly string[]
}

/** A list, with the fields of the object that holds it. */
export function inList(place: Place, messages: readonly unknown[]): Found {
  refuseHidden(place)
  const holder = place.as === 'value' ? place.parent : undefined
  if (!isObject(holder?.value)) return { messages, fields: {}, place, names: [] }
  const name = String(place.key)
  return { messages, fields: without(holder.value, [name]), place: holder, names: [name] }
}

/** The chat as a body of Chat Completions. */
export function toChatBody({ messages, fields, place, names }: Found): Record<string, unknown> {
  const { messages: other, envelope, ...beside } = fields
  // The handler may pass a text on as a prompt, in which a model reads every field.
  const [known, words] = isText(place) ? divided(beside) : [beside, undefined]
  const unknown = [...names, ...namesOf(place)].filter((name) => !KNOWN_KEYS.has(name))
  const rest = [...unknown, other, envelope, words, restOf(place)].filter((value) => value !== undefined)
  return { ...known, messages: messages.map(toMessage), ...(rest.length > 0 && { envelope: rest }) }
}

/** The fields that are judged in any case, and those that may hold settings. */
function divided(fields: Record<string, unknown>): readonly [Record<string, unknown>, object | undefined] {
  const known = Object.entries(fields).filter(([key]) => SYSTEM_FIELDS.has(key) || key === 'stream')
  const words = without(fields, ['stream', ...SYSTEM_FIELDS])
  return [Object.fromEntries(known), Object.keys(words).length > 0 ? words : undefined]
}

/** True for a place within a text. */
function isText(place: Place): boolean {
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) if (at.as === 'text') return true
  return false
}

/** The names of fields that lead to a place. Nothing else in the body may hold them. */
function namesOf(place: Place): string[] {
  const names: string[] = []
  for (let at = place; at.parent !== undefined; at = at.parent) if (typeof at.key === 'string') names.push(at.key)
  return names
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

/** @throws LlamaGuardError `unreadable_request` for a chat that the handler may not find where this search found it. */
export function refuseHidden(place: Place): void {
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) {
    if (at.as === 'name' || PROTOTYPE_KEYS.has(String(at.key)))
      throw unreadable('A chat stands where only some parsers find it: in the name of a field or in a prototype')
    if (at.repeated) throw unreadable('A chat stands in a text that names a key twice, which parsers read differently')
  }
}

/** The object without these fields. */
export function without(object: unknown, keys: readonly string[]): Record<string, unknown> {
  const gone = new Set(keys)
  return Object.fromEntries(Object.entries(object as object).filter(([key]) => !gone.has(key)))
}

export function unreadable(what: string): LlamaGuardError {
  return new LlamaGuardError('unreadable_request', `${what}; send a chat in the form its API describes.`)
}
