// Reads the streams of the two OpenAI APIs whose chunks have `choices`. The two differ only in the form of an empty
// last chunk. Sent events are tracked apart from read events, because a block discards the events between them.
import type { LlamaGuardError } from '../errors.js'
import type { Decision } from '../types.js'
import { isObject } from '../utils/json.js'
import type { StreamDelta, StreamEvent, StreamReader } from './dialect.js'
import { JoinedChoices, JoinedParts, PartChannels } from './kit/part-channels.js'
import { blockNote, sse, streamFailure } from './kit/refusals.js'
import { RepeatedEvent } from './kit/repeated-event.js'
import { itemIndex } from './kit/reply-texts.js'
import { BESIDE_CHOICES, EventText, isDone, SentEvents, shortText } from './kit/stream-events.js'
import type { Emit } from './kit/text-walker.js'
import { OPENAI_REPLY } from './openai-choices.js'

export interface ChunkShape {
  readonly object: string
  /** The channel of a choice's words. */
  readonly channel: string
  /** The empty content of a last chunk: `{delta: {}}` or `{text: ''}`. */
  readonly empty: Readonly<Record<string, unknown>>
  readonly idPrefix: string
  /** A choice with these words in the model's place. */
  readonly says: (words: string) => Readonly<Record<string, unknown>>
}

export const CHAT_CHUNK: ChunkShape = {
  object: 'chat.completion.chunk',
  channel: 'delta.content',
  empty: { delta: {} },
  idPrefix: 'chatcmpl',
  // Clients of the API read `refusal`, and most chat pages read `content`.
  says: (words) => ({ delta: { role: 'assistant', content: words, refusal: words } }),
}

interface Fact {
  readonly done: boolean
  readonly head: Head | undefined
  readonly choices: readonly { readonly index: number; readonly finished: boolean }[]
}

interface Head {
  readonly id: string | undefined
  readonly created: number | undefined
  readonly model: string | undefined
}

export function openaiStream(shape: ChunkShape): StreamReader {
  const events = new EventText(OPENAI_REPLY)
  const facts = new SentEvents(factOf)
  const parts = new PartChannels()
  const joined = new JoinedParts()
  const choices = new JoinedChoices()
  const repeated = new RepeatedEvent<Fact>()
  const read = new Set<number>()
  const wire = {
    head: undefined as Head | undefined,
    open: new Set<number>(),
    finished: new Set<number>(),
    done: false,
  }

  return {
    read(event) {
      const delta = repeated.read(event)
      if (delta !== undefined) {
        facts.repeat(event, repeated.fact)
        return [delta]
      }
      const deltas: StreamDelta[] = []
      const data = events.open(event, deltas)
      if (isObject(data)) readChunk({ events, parts, joined, choices }, data, deltas)
      else if (data !== undefined)
        events.walker.walk(data, (path, text) => deltas.push({ choice: 0, channel: path, text }))
      const fact = facts.note(event, data)
      for (const { index } of fact.choices) read.add(index)
      repeated.learn(event, events.walker.takeHeldBack() ? [] : deltas, shape.channel, fact)
      return deltas
    },
    sent(event) {
      const fact = facts.take(event)
      wire.head ??= fact.head
      wire.done ||= fact.done
      for (const { index, finished } of fact.choices) {
        if (finished) wire.finished.add(index)
        if (wire.finished.has(index)) wire.open.delete(index)
        else wire.open.add(index)
      }
    },
    block(decision, words) {
      if (wire.done) return ''
      const chunks = targets(wire, read).flatMap((index) => [
        ...(words === undefined
          ? []
          : [chunkOf(shape, wire.head, { index, ...shape.says(words), finish_reason: null })]),
        lastChunk(shape, wire.head, index, decision),
      ])
      return `${chunks.map((chunk) => sse(chunk)).join('')}data: [DONE]\n\n`
    },
    fail(error: LlamaGuardError) {
      // No [DONE] follows, because a client that ignores the error would take the reply for a complete one.
      return wire.done ? '' : sse({ error: streamFailure(error) })
    },
  }
}

interface Kit {
  readonly events: EventText
  readonly parts: PartChannels
  readonly joined: JoinedParts
  readonly choices: JoinedChoices
}

function readChunk(kit: Kit, data: Record<string, unknown>, deltas: StreamDelta[]): void {
  const { events } = kit
  const { choices } = data
  if (Array.isArray(choices)) {
    for (let position = 0; position < choices.length; position += 1) {
      const choice: unknown = choices[position]
      const index = itemIndex(choice, position)
      if (position === 0) kit.choices.begin(deltas, index, events.walker)
      const from = deltas.length
      const emit: Emit = (channel, text, metadata) => {
        if (metadata) events.beside(deltas, channel, text, true, index)
        else deltas.push({ choice: index, channel, text })
      }
      events.walker.walk(readLists(kit, choice, index, deltas), emit, { place: String(index) })
      if (position === 0) kit.choices.add(deltas, index, from)
    }
  } else if (choices !== undefined) {
    events.walker.walk(choices, (path, text) => deltas.push({ choice: 0, channel: path, text }), {
      path: 'choices',
    })
  }
  // Always with the same choice, because the first of an event may be another one in the next.
  events.readBeside(deltas, data, 0, { path: BESIDE_CHOICES, without: 'choices' })
}

/** Reads lists of parts and tool calls item by item. Returns the choice without these items. */
function readLists(kit: Kit, choice: unknown, index: number, deltas: StreamDelta[]): unknown {
  if (!isObject(choice)) return choice
  let rest = choice
  for (const holder of ['delta', 'message']) {
    const value = choice[holder]
    if (!isObject(value)) continue
    for (const [key, list] of Object.entries(value)) {
      if (!Array.isArray(list) || !list.every(isObject)) continue
      for (const [position, item] of list.entries())
        readItem(kit, item, `${holder}.${key}.${itemIndex(item, position)}`, index, deltas)
      rest = { ...rest, [holder]: { ...(rest[holder] as object), [key]: [] } }
    }
  }
  return rest
}

function readItem({ events, parts, joined }: Kit, item: object, place: string, index: number, deltas: StreamDelta[]) {
  const part = parts.at(deltas, index, place, item)
  const emit: Emit = (channel, text, metadata) => {
    if (metadata) return events.beside(deltas, channel, text, true, index)
    parts.add(deltas, part, index, channel, text)
    if (channel === `${place}.text`) joined.add(deltas, index, channel, text)
  }
  events.walker.walk(item, emit, { path: place, place: String(index) })
}

function factOf(data: unknown, event: StreamEvent): Fact {
  const done = isDone(event)
  if (!isObject(data)) return { done, head: undefined, choices: [] }
  const head = {
    id: shortText(data.id),
    created: typeof data.created === 'number' ? data.created : undefined,
    model: shortText(data.model),
  }
  const list: readonly unknown[] = Array.isArray(data.choices) ? data.choices : []
  const choices = list.map((choice, position) => ({
    index: itemIndex(choice, position),
    finished: isObject(choice) && typeof choice.finish_reason === 'string' && choice.finish_reason !== '',
  }))
  return { done, head, choices }
}

/** The open choices. When none is open, the choices that the client still waits for. */
function targets(wire: { open: Set<number>; finished: Set<number> }, read: Set<number>): number[] {
  if (wire.open.size > 0) return [...wire.open]
  const waiting = [...read].filter((index) => !wire.finished.has(index))
  if (waiting.length > 0) return waiting
  return wire.finished.size > 0 ? [...wire.finished] : [0]
}

function lastChunk(shape: ChunkShape, head: Head | undefined, index: number, decision: Decision): unknown {
  const choice = { index, ...shape.empty, finish_reason: 'content_filter' }
  return { ...chunkOf(shape, head, choice), llama_guard: blockNote(decision) }
}

function chunkOf(shape: ChunkShape, head: Head | undefined, choice: object): Record<string, unknown> {
  return {
    id: head?.id ?? `${shape.idPrefix}-llama-guard`,
    object: shape.object,
    created: head?.created ?? Math.floor(Date.now() / 1000),
    model: head?.model ?? 'unknown',
    choices: [choice],
  }
}
