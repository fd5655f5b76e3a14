// The work of every stream reader before its dialect reads an event: names, comments, raw text, repeated text. A
// dialect then only says where its own text is.
import { LlamaGuardError } from '../../errors.js'
import { duplicateKeys } from '../../utils/duplicate-keys.js'
import { isObject } from '../../utils/json.js'
import { parseLoosely } from '../../utils/loose-json.js'
import type { StreamDelta, StreamEvent } from '../dialect.js'
import { isShort, type ReplyFields } from './reply-fields.js'
import { SpacedWords } from './spaced-words.js'
import { type Emit, TextWalker, type Walk, type WalkerOptions } from './text-walker.js'

/** Strings of this length beside the choices are often repeated in every chunk (citations, provider names). */
const REPEATED_LENGTH = 24
/** The number of copies that are judged. Two copies side by side show every word that more copies could form. */
const COPIES_KEPT = 2
const MAX_REMEMBERED = 256
/** The path of an event's own fields, which no field of a choice has. */
export const BESIDE_CHOICES = '(event)'
/** An event of these characters alone carries numbers only: reconnection ids and times. */
const NUMBERS = /^[\d\s.:-]*$/

/** The most facts of sent events that are kept before they are dropped together. */
const MOST_SENT = 64

/** Needs one instance per stream. */
export class EventText {
  readonly walker: TextWalker
  /** The last text of each channel beside the choices, and how often it came in a row. */
  readonly #last = new Map<string, { text: string; times: number }>()

  readonly #spaced = new SpacedWords()
  /** Where the stream has said words outside of JSON. */
  #words: 'text' | 'events' | undefined

  constructor(fields: ReplyFields, options?: WalkerOptions) {
    this.walker = new TextWalker(fields, options)
  }

  /** The event's JSON object or array, if it has one. All other text of the event is added to `deltas`. */
  open(event: StreamEvent, deltas: StreamDelta[]): Record<string, unknown> | unknown[] | undefined {
    const { event: name, other, data, part, plain, json, bare = false } = event
    // In a stream of words the model may have written an object too.
    this.walker.all = bare || this.#words === 'events'
    if (name !== undefined && name !== '' && (bare || !isShort(name))) this.beside(deltas, 'event', name, true)
    if (other !== undefined && !NUMBERS.test(other) && (bare || !isShort(other)))
      this.beside(deltas, 'other', other, true)
    if (data === undefined) return undefined
    if (plain === true) {
      this.#words = 'text'
      deltas.push({ choice: 0, channel: 'data', text: data })
      return undefined
    }
    const trimmed = data.trim()
    if (trimmed === '[DONE]') return undefined
    if (trimmed === '') {
      // The separator between two words of bare text.
      if (data !== '') {
        deltas.push({ choice: 0, channel: 'data', text: data, aside: true })
        this.#spaced.add(deltas, 0, 'data', data)
      }
      return undefined
    }
    let text = data
    let value = parseLoosely(data)?.value
    // Handlers encode events twice by mistake. Some clients decode them twice, and others show the text.
    const within = typeof value === 'string' && /^\s*[[{]/.test(value) ? parseLoosely(value)?.value : undefined
    if (isObject(within) || Array.isArray(within)) {
      text = value as string
      deltas.push({ choice: 0, channel: 'data', text })
      value = within
    }
    if (isObject(value) || Array.isArray(value)) {
      if (duplicateKeys(text, value).size > 0)
        throw new LlamaGuardError(
          'unreadable_response',
          'An event of the stream names a key twice, which clients read differently.',
        )
      return value as Record<string, unknown> | unknown[]
    }
    // Some clients read broken JSON all the same. In a stream of words it is words, and so is the beginning of it.
    const broken = value === undefined && OBJECT.test(trimmed)
    if ((value === undefined && json === true) || (broken && this.#words === undefined && data.includes('}')))
      throw new LlamaGuardError(
        'unreadable_response',
        'An event of the stream holds JSON that is broken, or not alone, which clients read differently.',
      )
    if (!broken) this.#words ??= 'events'
    // Many handlers stream bare text or bare JSON strings.
    const channel = part === undefined ? 'data' : `data.${part}`
    this.own(deltas, channel, typeof value === 'string' ? value : data)
    return undefined
  }

  /** Adds a text of a stream in no API's form. */
  own(deltas: StreamDelta[], channel: string, text: string): void {
    deltas.push({ choice: 0, channel, text })
    this.#spaced.add(deltas, 0, channel, text)
  }

  /**
   * Adds all text of an event outside the choices, by its path. `path` is set where the choices have fields of the same
   * names. `skip` is true for text that was added before.
   */
  readBeside(
    deltas: StreamDelta[],
    data: unknown,
    choice = 0,
    { skip, ...walk }: Walk & { skip?: (text: string, path: string, metadata: boolean) => boolean } = {},
  ): void {
    const isOwn = isObject(data) && !('choices' in data)
    const emit: Emit = (path, text, metadata) => {
      if (skip?.(text, path, metadata) === true) return
      this.beside(deltas, path, text, metadata, choice)
      if (!metadata && isOwn && text.length < REPEATED_LENGTH) this.#spaced.add(deltas, choice, path, text)
    }
    this.walker.walk(data, emit, walk)
  }

  /**
   * Adds text outside the choices. A text that is repeated on one channel is added twice at most. A text that differs
   * from the one before it is always added, because it may be a part of a word.
   */
  beside(deltas: StreamDelta[], channel: string, text: string, metadata = false, choice = 0): void {
    if (metadata || text.length >= REPEATED_LENGTH) {
      const last = this.#last.get(`${choice}:${channel}`)
      if (last?.text === text) {
        last.times += 1
        if (last.times > COPIES_KEPT) return
      } else if (last !== undefined) {
        last.text = text
        last.times = 1
      } else if (this.#last.size < MAX_REMEMBERED) this.#last.set(`${choice}:${channel}`, { text, times: 1 })
    } else this.#last.delete(`${choice}:${channel}`)
    deltas.push({ choice, channel, text, ...(metadata && { aside: true }) })
  }
}

/** The beginning of an object, or of an event within an event. */
const OBJECT = /^(?:data:\s*)?(?:\[\s*)?\{\s*"/

/** The facts of read events, kept until the events are sent. An unknown event is parsed again. */
export class SentEvents<Fact> {
  // Events are sent in the order in which they were read. Two lists, because a Map would cost more than all other
  // work on a short event.
  readonly #events: StreamEvent[] = []
  readonly #facts: Fact[] = []
  #next = 0
  readonly #of: (data: unknown, event: StreamEvent) => Fact

  constructor(of: (data: unknown, event: StreamEvent) => Fact) {
    this.#of = of
  }

  note(event: StreamEvent, data: unknown): Fact {
    const fact = this.#of(data, event)
    this.repeat(event, fact)
    return fact
  }

  /** Records an event whose facts equal those of an earlier event. */
  repeat(event: StreamEvent, fact: Fact): void {
    this.#events.push(event)
    this.#facts.push(fact)
  }

  /** Returns the facts of a sent event. Call it once per event, because it forgets the event. */
  take(event: StreamEvent): Fact {
    if (this.#events[this.#next] !== event)
      return this.#of(event.data === undefined ? undefined : parseLoosely(event.data)?.value, event)
    const fact = this.#facts[this.#next]!
    this.#next += 1
    if (this.#next === this.#events.length || this.#next > MOST_SENT) {
      this.#events.splice(0, this.#next)
      this.#facts.splice(0, this.#next)
      this.#next = 0
    }
    return fact
  }
}

export function isDone(event: StreamEvent): boolean {
  return event.data?.trim() === '[DONE]'
}

/** An identifier that our own frame may repeat; undefined for any other value. */
export function shortText(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.:/+=@-]{0,128}$/.test(value) ? value : undefined
}
