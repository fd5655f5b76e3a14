// Reads the Responses stream: named events, with text as deltas and again as snapshots when a part, an item and the
// response are done. A snapshot is judged only where it differs from the deltas of its item.
import { LlamaGuardError } from '../errors.js'
import { isObject } from '../utils/json.js'
import type { StreamDelta, StreamEvent, StreamReader } from './dialect.js'
import { JoinedParts } from './kit/part-channels.js'
import { blockNote, sse, streamFailure } from './kit/refusals.js'
import { itemIndex } from './kit/reply-texts.js'
import { EventText, shortText, SentEvents } from './kit/stream-events.js'
import { emptyResponse, ITEM, refusalEvents, refusalItem, RESPONSES_REPLY } from './openai-responses-reply.js'

const AUDIO = /^response\.(?:output_)?audio\.delta$/
/** These events repeat the request: instructions, tools and settings. */
const FIRST = new Set(['response.created', 'response.in_progress', 'response.queued'])
/** These events repeat text that came in deltas. In any other event, equal words are new words. */
const SNAPSHOT = /\.(?:added|done)$/
const LAST = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled'])

interface Fact {
  readonly created: boolean
  readonly last: boolean
  readonly sequence: number
  /** The index of the event's output item; -1 when it has none. */
  readonly item: number
  readonly head: Record<string, unknown>
}

export function responsesStream(): StreamReader {
  const events = new EventText(RESPONSES_REPLY)
  const facts = new SentEvents(factOf)
  const joined = new JoinedParts()
  const items = new Map<number, ItemText>()
  const wire = { created: false, last: false, sequence: -1, next: 0, head: {} as Record<string, unknown> }

  const item = (choice: number): ItemText => {
    const known = items.get(choice) ?? new ItemText()
    items.set(choice, known)
    return known
  }
  const snapshot = (deltas: StreamDelta[], choice: number, channel: string, text: string, aside = false): void => {
    if (item(choice).saw(text, channel)) deltas.push({ choice, channel, text, ...(aside && { aside }) })
  }
  const readData = (data: Record<string, unknown>, deltas: StreamDelta[]): void => {
    const choice = natural(data.output_index)
    const type = typeof data.type === 'string' ? data.type : ''
    if (AUDIO.test(type))
      throw new LlamaGuardError(
        'unreadable_response',
        'The stream carries audio, which the guard cannot read; ask the model for text.',
      )
    if (type.endsWith('.delta') && typeof data.delta === 'string') {
      const channel = `${shortText(type.replace(/^response\.|\.delta$/g, '')) ?? 'delta'}.${natural(data.content_index ?? data.summary_index)}`
      return events.walker.walk(data, (path, text) => {
        if (path !== 'delta') return deltas.push({ choice, channel: `${channel}.${path}`, text })
        item(choice).append(channel, text)
        deltas.push({ choice, channel, text })
        if (channel.startsWith('output_text.')) joined.add(deltas, choice, channel, text)
      })
    }
    if (!isObject(data.response))
      return events.walker.walk(data, (path, text) => {
        const channel = `${type}.${path}`
        if (SNAPSHOT.test(type)) snapshot(deltas, choice, channel, text)
        else deltas.push({ choice, channel, text })
      })
    const { response, ...outside } = data
    const { output, ...rest } = response
    const list: readonly unknown[] = Array.isArray(output) ? output : [output]
    for (const [position, entry] of list.entries()) {
      const index = itemIndex(entry, position)
      events.walker.walk(entry, (path, text) => snapshot(deltas, index, `item.${path}`, text), { fields: ITEM })
    }
    events.walker.walk({ ...outside, response: rest }, (path, text) => {
      // The field `output_text` repeats the words of all items.
      if (![...items.values()].some((known) => known.holds(text))) snapshot(deltas, 0, path, text, FIRST.has(type))
    })
  }

  return {
    read(event) {
      const deltas: StreamDelta[] = []
      const data = events.open(event, deltas)
      if (isObject(data)) readData(data, deltas)
      else if (data !== undefined)
        events.walker.walk(data, (path, text) => deltas.push({ choice: 0, channel: path, text }))
      facts.note(event, data)
      return deltas
    },
    sent(event) {
      const fact = facts.take(event)
      wire.created ||= fact.created
      wire.last ||= fact.last
      wire.sequence = Math.max(wire.sequence, fact.sequence)
      wire.head = { ...wire.head, ...fact.head }
      wire.next = Math.max(wire.next, fact.item + 1)
    },
    block(decision, words) {
      if (wire.last) return ''
      const base = emptyResponse(wire.head)
      const created = wire.created ? [] : [{ type: 'response.created', response: { ...base, status: 'in_progress' } }]
      const reason = { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }
      const item = words === undefined ? undefined : refusalItem(words)
      const output = item === undefined ? [] : [item]
      const frames: ({ type: string } & Record<string, unknown>)[] = [
        ...created,
        ...(item === undefined ? [] : refusalEvents(item, wire.next)),
        { type: 'response.incomplete', response: { ...base, ...reason, output }, llama_guard: blockNote(decision) },
      ]
      return frames
        .map((frame, index) => sse({ ...frame, sequence_number: wire.sequence + 1 + index }, frame.type))
        .join('')
    },
    fail(error) {
      if (wire.last) return ''
      const failure = streamFailure(error)
      // The SDK raises an error for an event with the field `error`. The fields beside it form the API's own error
      // event.
      return sse(
        {
          type: 'error',
          code: error.code,
          message: error.message,
          param: null,
          sequence_number: wire.sequence + 1,
          error: failure,
        },
        'error',
      )
    },
  }
}

/** A shorter text may be a part of a word, even in an event that repeats deltas. */
const REPEATED_LENGTH = 24

/** The text of one output item so far. */
class ItemText {
  readonly #channels = new Map<string, string>()
  /** The channel on which each snapshot was first seen. */
  readonly #snapshots = new Map<string, string>()

  append(channel: string, text: string): void {
    this.#channels.set(channel, (this.#channels.get(channel) ?? '') + text)
  }

  /** True the first time the item has this text, and whenever a short text comes again at the same place. */
  saw(text: string, channel: string): boolean {
    if (this.#isWhole(text)) return false
    const first = this.#snapshots.get(text)
    if (first === undefined) this.#snapshots.set(text, channel)
    return first === undefined || (first === channel && text.length < REPEATED_LENGTH)
  }

  holds(text: string): boolean {
    return this.#isWhole(text) || (text.length >= REPEATED_LENGTH && this.#snapshots.has(text))
  }

  #isWhole(text: string): boolean {
    for (const said of this.#channels.values()) if (said.length === text.length && said === text) return true
    return false
  }
}

function factOf(data: unknown, _event: StreamEvent): Fact {
  if (!isObject(data)) return { created: false, last: false, sequence: -1, item: -1, head: {} }
  const { id, created_at: createdAt, model } = isObject(data.response) ? data.response : {}
  const head = {
    ...(shortText(id) === undefined ? {} : { id }),
    ...(typeof createdAt === 'number' ? { created_at: createdAt } : {}),
    ...(shortText(model) === undefined ? {} : { model }),
  }
  const last = typeof data.type === 'string' && LAST.has(data.type)
  return {
    created: data.type === 'response.created',
    last,
    sequence: typeof data.sequence_number === 'number' ? data.sequence_number : -1,
    item: typeof data.output_index === 'number' ? data.output_index : -1,
    head,
  }
}

function natural(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0
}
