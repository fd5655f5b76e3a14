// What is remembered of a stream from event to event: words without blanks between them, which readers show with
// blanks; texts that come in pieces and again as a whole; and the last event, for those like it.
import { isObject } from '../../utils/json.js'
import type { StreamDelta, StreamEvent } from '../dialect.js'
import { looksLikeMedia } from './media.js'
import { itemIndex } from './reply-fields.js'

const MAX_CHANNELS = 64
const WORD_ENDS = /[\p{L}\p{M}\p{N}.,;:!?%)\]"'’”]$/u
const WORD_BEGINS = /^[\p{L}\p{N}([“"‘]/u
const WITHOUT_BLANKS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u

/**
 * Streams of one word an event (`data: word`, `{"token":"word"}`) leave the blanks to their readers. Joined as they
 * come, a guard reads nothing in them. While no text of a channel begins or ends with a blank, a second channel
 * has the texts with a blank between words, as such a reader shows them; both are judged, because a model may write
 * pieces of words without a blank among them. Languages that write no blanks between words stay whole. Needs one
 * instance per stream.
 */
export class SpacedWords {
  /** The last text of each channel, and whether its second one has begun. */
  readonly #channels = new Map<string, { last: string; begun: boolean } | 'blanks'>()

  /** Call it for each text of a channel that has been added to `deltas`. */
  add(deltas: StreamDelta[], choice: number, channel: string, text: string): void {
    const key = `${choice} ${channel}`
    const words = this.#channels.get(key)
    if (words === 'blanks' || text === '' || (words === undefined && this.#channels.size >= MAX_CHANNELS)) return
    // An app that splits a text at its blanks leaves the line breaks, and the model chooses those.
    if (/^ | $/.test(text)) return void this.#channels.set(key, 'blanks')
    if (words === undefined) return void this.#channels.set(key, { last: text, begun: false })
    const between = blankBetween(words.last, text)
    // What stands before the first blank is judged in the first channel.
    if (words.begun || between !== '')
      deltas.push({ choice, channel: `${channel} words`, text: (words.begun ? '' : words.last) + between + text })
    words.begun ||= between !== ''
    words.last = text
  }
}

function blankBetween(before: string, after: string): string {
  const [end, start] = [before.slice(-2), after.slice(0, 2)]
  return WORD_ENDS.test(end) && WORD_BEGINS.test(start) && !WITHOUT_BLANKS.test(end) && !WITHOUT_BLANKS.test(start)
    ? ' '
    : ''
}

/** Characters at the end that are copied with each piece. */
const MOST_COPIED = 1000

/**
 * A text that grows by small pieces, in as many bytes as it has characters. Joined by `+`, each piece would cost 56
 * bytes, or keep the packet that it was cut from. To copy the end with each piece takes .15 us.
 */
export class GrowingText {
  #text: string
  #end = ''

  constructor(text = '') {
    this.#text = text
  }

  get length(): number {
    return this.#text.length + this.#end.length
  }

  add(piece: string): void {
    this.#end = [this.#end, piece].join('')
    if (this.#end.length > MOST_COPIED) this.toString()
  }

  toString(): string {
    this.#text += this.#end
    this.#end = ''
    return this.#text
  }
}

/** A shorter text may be a part of a word, even in an event that repeats what came before. */
export const REPEATED_LENGTH = 24

/** Characters that are remembered of a stream, and what a text costs beside its own. */
const MOST_SAID = 4_000_000
const TEXT_COST = 64

/**
 * What a stream has said, in pieces and as a whole, so that the same text said again as a whole is judged once. What is
 * not remembered is judged again.
 */
export class SaidTexts {
  readonly #pieces = new Map<string, GrowingText>()
  /** The channel on which each whole text was first seen. */
  readonly #wholes = new Map<string, string>()
  #room = MOST_SAID

  append(channel: string, text: string): void {
    const said = this.#pieces.get(channel) ?? new GrowingText()
    if (!this.#takes(text.length + (said.length === 0 ? TEXT_COST : 0))) return void this.#pieces.delete(channel)
    said.add(text)
    this.#pieces.set(channel, said)
  }

  /** True the first time that this text comes, and whenever a short text comes again at the same place. */
  isNew(channel: string, text: string): boolean {
    if (this.#isWhole(text)) return false
    const first = this.#wholes.get(text)
    if (first === undefined && this.#takes(text.length + TEXT_COST)) this.#wholes.set(text, channel)
    return first === undefined || (first === channel && text.length < REPEATED_LENGTH)
  }

  holds(text: string): boolean {
    return this.#isWhole(text) || (text.length >= REPEATED_LENGTH && this.#wholes.has(text))
  }

  #takes(characters: number): boolean {
    const fits = characters <= this.#room
    if (fits) this.#room -= characters
    return fits
  }

  #isWhole(text: string): boolean {
    for (const said of this.#pieces.values()) if (said.length === text.length && said.toString() === text) return true
    return false
  }
}

/** The choices that a client knows. */
export interface Choices {
  readonly open: readonly number[]
  readonly finished: readonly number[]
}

/** `field`: the one with the reason of the end. */
export function choicesAfter({ open, finished }: Choices, list: unknown, field: string): Choices {
  for (const [position, choice] of (Array.isArray(list) ? (list as unknown[]) : []).entries()) {
    const index = itemIndex(choice, position)
    const reason = isObject(choice) ? choice[field] : undefined
    if (finished.includes(index)) continue
    const ends = typeof reason === 'string' && reason !== ''
    if (ends) finished = [...finished, index]
    if (ends === open.includes(index)) open = ends ? open.filter((each) => each !== index) : [...open, index]
  }
  return { open, finished }
}

/** The choices that an ending is for: those that are open, else those that the client still waits for, else all. */
export function choicesToEnd(sent: Choices, read: Choices): readonly number[] {
  if (sent.open.length > 0) return sent.open
  const waiting = [...read.open, ...read.finished].filter((index) => !sent.finished.includes(index))
  if (waiting.length > 0) return waiting
  return sent.finished.length > 0 ? sent.finished : [0]
}

/** A message of blocks, each of which begins and ends. */
export interface Blocks {
  readonly started: boolean
  readonly over: boolean
  readonly open: readonly number[]
  /** The first index that no block has had. */
  readonly next: number
}

export const NO_BLOCKS: Blocks = { started: false, over: false, open: [], next: 0 }

export type BlockStep = 'start' | 'open' | 'close' | 'end' | undefined

export function blocksAfter({ started, over, open, next }: Blocks, step: BlockStep, index = 0): Blocks {
  if (step === 'open' && !open.includes(index)) open = [...open, index]
  if (step === 'open') next = Math.max(next, index + 1)
  if (step === 'close') open = open.filter((each) => each !== index)
  return { started: started || step === 'start', over: over || step === 'end', open, next }
}

/**
 * Characters that end a JSON string, begin an escape, or may not stand in a string, and some more control characters.
 */
const NOT_PLAIN = /["\\\p{Cc}]/u

/**
 * The last event that was parsed, so that the parser is skipped for those like it. Most events of a stream differ from
 * the one before them in the words of one string only, so all other facts of the first hold for them too. This takes
 * 0.16 us an event instead of 2.6 us (a Chat Completions chunk, Node.js 20, mean of a loop). It may go on the day
 * parsing and walking an event costs less than 0.5 us. Needs one instance per stream.
 */
export class RepeatedEvent {
  readonly #channels: RegExp
  #name: string | undefined
  #before: string | undefined
  #after = ''
  #said: StreamDelta | undefined

  /** `channels`: those of words that grow from event to event. */
  constructor(channels: RegExp) {
    this.#channels = channels
  }

  /**
   * Remembers a parsed event. `deltas` are all texts of the event, or none when the next event may not be read like it.
   * The event becomes the pattern only when it has exactly one text, on a channel of words, when nothing in the
   * event is escaped, and when the text stands in the event once. Only then is the position of the words certain.
   */
  learn(event: StreamEvent, deltas: readonly StreamDelta[]): void {
    this.#before = undefined
    const [said] = deltas
    const { data } = event
    if (said === undefined || deltas.length > 1 || data === undefined || !isPlain(event)) return
    if (!this.#channels.test(said.channel)) return
    const literal = `"${said.text}"`
    const at = data.indexOf(literal)
    if (at === -1 || data.indexOf(literal, at + 1) !== -1 || data.includes('\\')) return
    this.#name = event.event && copied(event.event)
    this.#before = copied(data.slice(0, at + 1))
    this.#after = copied(data.slice(at + literal.length - 1))
    this.#said = said
  }

  /**
   * The words of an event that equals the pattern in everything but its words. Undefined means that the event must be
   * parsed.
   */
  read(event: StreamEvent): StreamDelta | undefined {
    const before = this.#before
    const { data } = event
    if (before === undefined || data === undefined || event.event !== this.#name || !isPlain(event)) return undefined
    const end = data.length - this.#after.length
    if (end <= before.length || data.slice(0, before.length) !== before || data.slice(end) !== this.#after)
      return undefined
    const text = data.slice(before.length, end)
    if (NOT_PLAIN.test(text) || looksLikeMedia(text)) return undefined
    return { choice: this.#said!.choice, channel: this.#said!.channel, text }
  }
}

/** Slices would keep the packet that the event came in. */
const copied = (text: string): string => Buffer.from(text).toString()

function isPlain({ other, part, plain }: StreamEvent): boolean {
  return other === undefined && part === undefined && plain === undefined
}
