// Reads the streams of the two OpenAI APIs whose chunks have `choices`. The two differ only in the form of an empty
// last chunk. Sent events are tracked apart from read events, because a block discards the events between them.
import type { LlamaGuardError } from '../errors.js'
import type { Decision } from '../types.js'
import { isObject } from '../utils/json.js'
import type { StreamDelta, StreamEvent, StreamReader } from './dialect.js'
import { JoinedParts } from './kit/part-channels.js'
import { blockNote, sse, streamFailure } from './kit/refusals.js'
import { RepeatedEvent } from './kit/repeated-event.js'
import { itemIndex } from './kit/reply-texts.js'
import { BESIDE_CHOICES, EventText, isDone, SentEvents, shortText } from './kit/stream-events.js'
import type { Emit } from './kit/text-walker.js'
import { CHOICE, CHOICES_REPLY } from './openai-choices.js'

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
  const events = new EventText(CHOICES_REPLY)
  const facts = new SentEvents(factOf)
  const joined = new JoinedParts()
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
      if (isObject(data)) readChunk(events, joined, data, deltas)
      else if (data !== undefined)
        events.walker.walk(data, (channel, text) => deltas.push({ choice: 0, channel, text }))
      const fact = facts.note(event, data)
      for (const { index } of fact.choices) read.add(index)
      repeated.learn(event, deltas, shape.channel, fact)
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

function readChunk(events: EventText, joined: JoinedParts, data: Record<string, unknown>, deltas: StreamDelta[]): void {
  const { choices } = data
  const list: readonly unknown[] = Array.isArray(choices) ? choices : []
  for (let position = 0; position < list.length; position += 1) {
    const choice = list[position]
    const index = itemIndex(choice, position)
    const emit: Emit = (channel, text, aside) => {
      if (aside) return events.beside(deltas, channel, text, true, index)
      deltas.push({ choice: index, channel, text })
      if (PART_TEXT.test(channel)) joined.add(deltas, index, channel, text)
    }
    events.walker.walk(choice, emit, { fields: CHOICE })
  }
  // Always with the same choice, because the first of an event may be another one in the next.
  const without = Array.isArray(choices) ? 'choices' : undefined
  events.readBeside(deltas, data, 0, { path: BESIDE_CHOICES, without })
}

const PART_TEXT = /^(?:delta|message)\.\w+\.\d+\.text$/

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
