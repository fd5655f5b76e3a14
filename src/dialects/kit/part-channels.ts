// Channels for parts that arrive interleaved. Clients tell parts apart by their place, by their id and type, or not
// at all. Where these give different texts, all of them are judged.
import { isObject } from '../../utils/json.js'
import type { StreamDelta } from '../dialect.js'
import type { TextWalker } from './text-walker.js'

interface Part {
  id: string | undefined
  type: string | undefined
  /** True when more than one id or type was seen at this place. */
  several: boolean
  readonly channels: Set<string>
}

/** Needs one instance per stream. A part without an id or type continues the last one at its place. */
export class PartChannels {
  readonly #parts = new Map<string, Part>()

  /** Call it before the text of `item`, which stands at `place`. It returns the key for {@link add}. */
  at(deltas: StreamDelta[], choice: number, place: string, item: unknown): string {
    const key = `${choice}:${place}`
    const { id, type } = isObject(item) ? item : {}
    const part = this.#parts.get(key)
    if (part === undefined) {
      this.#parts.set(key, { id: nameOf(id), type: nameOf(type), several: false, channels: new Set() })
      return key
    }
    const next = { id: nameOf(id) ?? part.id, type: nameOf(type) ?? part.type }
    const same = (part.id === undefined || part.id === next.id) && (part.type === undefined || part.type === next.type)
    if (!same && !part.several) {
      part.several = true
      for (const channel of part.channels) deltas.push({ choice, channel: own(channel, part), text: '', from: channel })
    }
    part.id = next.id
    part.type = next.type
    return key
  }

  /**
   * Adds text of the part to the channel of its place. When several parts share the place, it also goes to a channel
   * of its own.
   */
  add(deltas: StreamDelta[], key: string, choice: number, channel: string, text: string): void {
    deltas.push({ choice, channel, text })
    this.addOwn(deltas, key, choice, channel, text)
  }

  /** Adds text only to the part's own channel, because the channel of its place has it already. */
  addOwn(deltas: StreamDelta[], key: string, choice: number, channel: string, text: string): void {
    const part = this.#parts.get(key)!
    part.channels.add(channel)
    if (part.several) deltas.push({ choice, channel: own(channel, part), text })
  }
}

function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function own(channel: string, { id, type }: Pick<Part, 'id' | 'type'>): string {
  return `${channel}#${JSON.stringify([id, type])}`
}

/**
 * The text of all parts in order of arrival, for clients that do not tell parts apart. Needs one instance per stream.
 */
export class JoinedParts {
  readonly #first = new Map<number, string>()
  readonly #several = new Set<number>()

  /** Adds nothing while only one part has text, because its own channel is then the whole text. */
  add(deltas: StreamDelta[], choice: number, channel: string, text: string): void {
    const first = this.#first.get(choice)
    if (first === undefined) this.#first.set(choice, channel)
    if (first === undefined || (first === channel && !this.#several.has(choice))) return
    if (!this.#several.has(choice)) {
      this.#several.add(choice)
      deltas.push({ choice, channel: 'parts', text: '', from: first })
    }
    deltas.push({ choice, channel: 'parts', text })
  }
}

/**
 * The text of the choices that come first in their events, in order of arrival, for clients that take the first choice
 * of every event. Needs one instance per stream.
 */
export class JoinedChoices {
  readonly #channels = new Set<string>()
  #first: number | undefined
  #several = false

  /**
   * Call it before the text of an event's first choice is added. Token lists that repeat the texts of several choices
   * may be joined too.
   */
  begin(deltas: StreamDelta[], choice: number, walker: TextWalker): void {
    const first = this.#first
    if (first === undefined || first === choice || this.#several) return
    const from = deltas.length
    walker.tellTokens(String(first), (channel, text) => deltas.push({ choice: first, channel, text }))
    this.add(deltas, first, from)
  }

  /** Call it when the text of an event's first choice has been added to `deltas`, `from` this position. */
  add(deltas: StreamDelta[], choice: number, from: number): void {
    const first = (this.#first ??= choice)
    const own = deltas.slice(from)
    if (choice === first && !this.#several) {
      for (const { channel } of own) this.#channels.add(channel)
      return
    }
    if (!this.#several)
      for (const channel of this.#channels)
        deltas.push({ choice: first, channel: any(channel), text: '', from: channel })
    this.#several = true
    for (const { channel, text, aside } of own)
      if (aside !== true && text !== '') deltas.push({ choice: first, channel: any(channel), text })
  }
}

function any(channel: string): string {
  return `choices.${channel}`
}
