// What counts as a message: an object that names a speaker and has words, in the names that clients of all APIs use.
import { REPEATED } from '../utils/duplicate-keys.js'
import { isObject } from '../utils/json.js'

/** The speaker of each role name that clients use. */
const SPEAKERS = new Map([
  ...['user', 'human', 'humanmessage', 'customer', 'client'].map((name) => [name, 'user'] as const),
  ...['assistant', 'ai', 'aimessage', 'bot', 'model', 'agent', 'chatbot'].map((name) => [name, 'assistant'] as const),
  ...['system', 'developer', 'systemmessage'].map((name) => [name, 'system'] as const),
  ...['tool', 'function', 'toolmessage', 'functionmessage'].map((name) => [name, 'tool'] as const),
])
/** Keys of a message: those that name its speaker, and those that hold its words. */
export const SPEAKING = new Set(['role', 'type'])
export const WORDS = new Set(['content', 'parts', 'text'])
const LONGEST_NAME = 'content'.length
const INITIALS = new Set(Array.from('rtcpRTCP', (letter) => letter.charCodeAt(0)))

/** True for an object with words and a known speaker. */
export function isMessage(value: unknown): boolean {
  if (!isObject(value)) return false
  const { speaker, words } = reading(value)
  return words && speaker !== undefined
}

/** The parts of a message that an object has. Servers in other languages match names in any case. */
export function reading(item: Record<string, unknown>): {
  speaker: string | undefined
  words: boolean
  typed: boolean
} {
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

/** The dialect reads a message with a known speaker. Any other item counts as words of a user. */
export function toMessage(item: unknown): Record<string, unknown> {
  if (isObject(item)) {
    const speaker = (typeof item.role === 'string' ? speakerOf(item.role) : undefined) ?? speakerOfType(item)
    if (speaker !== undefined) return { ...item, role: speaker }
  }
  return { role: 'user', item }
}

function speakerOfType({ role, type }: Record<string, unknown>): string | undefined {
  return role === undefined && typeof type === 'string' ? speakerOf(type) : undefined
}
