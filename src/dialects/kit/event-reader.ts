// The engine of streams: it reads the events of an API by what the API says of them, and remembers what has left.
// Names, comments, raw text and repeated text it reads by itself.
import { type LlamaGuardError, unreadableResponse } from '../../types/errors.js'
import { isObject } from '../../utils/json.js'
import { namesTwice, parseLoosely } from '../../wire/json.js'
import type { Decision } from '../../types.js'
import type { StreamDelta, StreamEvent, StreamReader } from '../dialect.js'
import { type Holder, isShort, type ReplyFields, TextWalker, type Walk, type WalkerOptions } from './reply-fields.js'
import { REPEATED_LENGTH, RepeatedEvent, type SaidTexts, SpacedWords } from './stream-memory.js'

/** The JSON object of an event. Empty for an event without one. */
export type EventData = Readonly<Record<string, unknown>>

/** Where a stream stands for its client. */
interface StreamState {
  /** True when the client takes the stream for ended, so that nothing can follow. */
  readonly over: boolean
}

/** The first state of a stream of which nothing else is known. */
export const NOT_OVER: StreamState = { over: false }

/** What an API says of its streams. Each stream needs its own, because the functions that read may have state. */
export interface StreamFacts<State extends StreamState> {
  readonly fields: ReplyFields
  readonly options?: WalkerOptions | undefined
  /** Adds the texts of an event, by walks. Default: one walk over all of it. */
  read?(texts: EventTexts, data: EventData, event: StreamEvent): void
  /** The same for an event that is a list. Default: one walk over all of it. */
  readList?(texts: EventTexts, list: readonly unknown[], event: StreamEvent): void
  /** Where the stream stands for its client before the first event. A state is never changed. */
  readonly start: State
  /** Where it stands after an event. `list`: the event where it is a list. */
  after(state: State, data: EventData, event: StreamEvent, list?: readonly unknown[]): State
  /** The frames that end the stream as blocked, for a client that has got it up to `state`. `read`: the last state. */
  block(state: State, decision: Decision, words: string | undefined, read: State): string
  /** The same for a stream that has failed. */
  fail(state: State, error: LlamaGuardError): string
  /** The channels of words in events that differ in nothing else. Such events are not parsed. Default: none. */
  readonly repeats?: RegExp
}

export function eventReader<State extends StreamState>(facts: StreamFacts<State>): StreamReader {
  const texts = new EventTexts(facts.fields, facts.options)
  const repeated = facts.repeats === undefined ? undefined : new RepeatedEvent(facts.repeats)
  let state = facts.start
  let sent = facts.start
  let leaves: (() => void) | undefined
  return {
    read(event) {
      // What repeats the event before it leaves the state as that one has left it.
      const delta = repeated?.read(event)
      if (delta !== undefined) return [delta]
      const data = texts.open(event)
      const list = Array.isArray(data) ? data : undefined
      if (list !== undefined && facts.readList !== undefined) facts.readList(texts, list, event)
      else if (isObject(data) && facts.read !== undefined) facts.read(texts, data, event)
      else if (data !== undefined) texts.walk(data)
      const next = facts.after(state, isObject(data) ? data : NO_DATA, event, list)
      if (!isSame(next, state)) {
        state = next
        leaves = () => void (sent = next)
      }
      repeated?.learn(event, texts.deltas)
      return texts.deltas
    },
    get leaves() {
      return leaves
    },
    block: (decision, words) => (sent.over ? '' : facts.block(sent, decision, words, state)),
    fail: (error) => (sent.over ? '' : facts.fail(sent, error)),
  }
}

/** True for equal values, and for objects with equal fields. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (!isObject(one) || !isObject(other)) return false
  for (const name in one) if (one[name] !== other[name]) return false
  return true
}

const NO_DATA: EventData = {}

/** How a value is read: in which channels its texts are, and how they go on from event to event. */
export interface Way extends Walk {
  /** Default: 0. */
  readonly choice?: number
  /** What each channel is named before the path of its text. Default: nothing. */
  readonly under?: string
  /** The channel of a text. Default: `under` and its path. */
  readonly channel?: (path: string, holder: Holder) => string
  /** The texts that grow from event to event, by their path. Others come again. Default: none. */
  readonly grows?: true | RegExp
  /** The texts beside the model's words, by their path. Names always are. Default: none. */
  readonly aside?: true | RegExp
  /** Where growing texts are kept. Others are added when they are new to it. */
  readonly said?: SaidTexts
  /** True for a text that was added before. */
  readonly skip?: (text: string, path: string) => boolean
  /** Adds a text that does not grow. Default: {@link EventTexts.beside}. */
  readonly add?: ((channel: string, text: string) => void) | undefined
}

const MAX_REMEMBERED = 256
/** The beginning of an object, or of an event within an event. */
const OBJECT = /^(?:data:\s*)?(?:\[\s*)?\{\s*"/

/** The texts of events, one after the other. Needs one instance per stream. */
export class EventTexts {
  /** The texts of the current event. */
  deltas: StreamDelta[] = []
  readonly #walker: TextWalker
  /** The last text of each channel beside the choices, and whether it has come twice. */
  readonly #last = new Map<string, { readonly text: string; readonly twice: boolean }>()
  readonly #spaced = new SpacedWords()
  /** Where the stream has said words outside of JSON. */
  #words: 'text' | 'events' | undefined

  constructor(fields: ReplyFields, options?: WalkerOptions) {
    this.#walker = new TextWalker(fields, options)
  }

  /** Begins an event. Returns its JSON object or list, if it has one, and adds all other text of the event. */
  open(event: StreamEvent): EventData | unknown[] | undefined {
    const { event: name, other, data, part, plain, json, bare = false } = event
    this.deltas = []
    // In a stream of words the model may have written an object too.
    this.#walker.all = bare || this.#words === 'events'
    if (name !== undefined && name !== '' && (bare || !isShort(name))) this.beside('event', name, true)
    if (other !== undefined && (bare || !isShort(other))) this.beside('other', other, true)
    if (data === undefined) return undefined
    if (plain === true) {
      this.#words = 'text'
      this.deltas.push({ choice: 0, channel: 'text', text: data })
      return undefined
    }
    const trimmed = data.trim()
    if (trimmed === '[DONE]') return undefined
    if (trimmed === '') {
      // The separator between two words of bare text.
      if (data !== '') this.own('data', data, true)
      return undefined
    }
    let text = data
    let value = parseLoosely(data)?.value
    // Handlers encode events twice by mistake. Some clients decode them twice, and others show the text.
    const within = typeof value === 'string' && /^\s*[[{]/.test(value) ? parseLoosely(value)?.value : undefined
    if (isObject(within) || Array.isArray(within)) {
      text = value as string
      this.deltas.push({ choice: 0, channel: 'data', text })
      value = within
    }
    if (isObject(value) || Array.isArray(value)) {
      if (namesTwice(text, value))
        throw unreadableResponse('An event of the stream names a key twice, which clients read differently.')
      return value as EventData | unknown[]
    }
    // Some clients read broken JSON all the same. In a stream of words it is words, and so is the beginning of it.
    const broken = value === undefined && OBJECT.test(trimmed)
    if ((value === undefined && json === true) || (broken && this.#words === undefined && data.includes('}')))
      throw unreadableResponse(
        'An event of the stream holds JSON that is broken, or not alone, which clients read differently.',
      )
    if (!broken) this.#words ??= 'events'
    // Many handlers stream bare text or bare JSON strings.
    this.own(part === undefined ? 'data' : `data.${part}`, typeof value === 'string' ? value : data)
    return undefined
  }

  /** Adds the texts of a value. `way` says how they are read. */
  walk(value: unknown, way: Way = {}): void {
    const { choice = 0, under = '', said } = way
    // Events of an app's own may leave the blanks between words to their readers.
    const mayBeSpaced = way.channel === undefined && isObject(value) && !('choices' in value)
    const beside = (channel: string, text: string): void => {
      this.beside(channel, text, false, choice)
      if (mayBeSpaced && text.length < REPEATED_LENGTH) this.#spaced.add(this.deltas, choice, channel, text)
    }
    const { add = beside } = way
    this.#walker.walk(
      value,
      (path, text, isName, holder) => {
        if (way.skip?.(text, path) === true) return
        const channel = way.channel?.(path, holder) ?? under + path
        if (!isName && matches(way.grows, path)) {
          this.deltas.push({ choice, channel, text })
          said?.append(channel, text)
        } else if (said !== undefined && !said.isNew(channel, text)) return
        else if (isName || matches(way.aside, path)) this.beside(channel, text, true, choice)
        else add(channel, text)
      },
      way,
    )
  }

  /** Adds a text that grows, of a stream in no API's form. */
  own(channel: string, text: string, aside = false): void {
    this.deltas.push({ choice: 0, channel, text, ...(aside && { aside }) })
    this.#spaced.add(this.deltas, 0, channel, text)
  }

  /**
   * Adds text outside the choices. Some streams repeat a text in every event. A long text is then added twice: a word
   * may stand where the end of the first meets the beginning of the second. A repeated name is added once. A short text
   * that is no name is added each time, because it may be a part of a word.
   */
  beside(channel: string, text: string, aside = false, choice = 0): void {
    const key = `${choice}:${channel}`
    if (aside || text.length >= REPEATED_LENGTH) {
      const last = this.#last.get(key)
      const again = last?.text === text
      if (again && (aside || last.twice)) return
      if (this.#last.size < MAX_REMEMBERED || last !== undefined) this.#last.set(key, { text, twice: again })
    } else this.#last.delete(key)
    this.deltas.push({ choice, channel, text, ...(aside && { aside }) })
  }
}

function matches(which: true | RegExp | undefined, path: string): boolean {
  return which === true || which?.test(path) === true
}

/** An identifier that our own frame may repeat; undefined for any other value. */
export function shortText(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.:/+=@-]{0,128}$/.test(value) ? value : undefined
}

export function isDone(event: StreamEvent): boolean {
  return event.data?.trim() === '[DONE]'
}
