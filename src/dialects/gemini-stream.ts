// Gemini's stream: one reply object after the other, as server-sent events or as elements of a JSON array.
import { isObject } from '../utils/json.js'
import type { StreamDelta, StreamEvent, StreamReader } from './dialect.js'
import { CANDIDATE, GEMINI_REPLY, googleError, statusOf, textParts } from './gemini-reply.js'
import { JoinedParts } from './kit/part-channels.js'
import { blockNote, failureType, sse } from './kit/refusals.js'
import { itemIndex } from './kit/reply-texts.js'
import { BESIDE_CHOICES, EventText, SentEvents } from './kit/stream-events.js'

interface Fact {
  /** Candidates of the event, and whether it is the last of them. */
  readonly candidates: readonly { readonly index: number; readonly finished: boolean }[]
}

export function geminiStream(): StreamReader {
  const events = new EventText(GEMINI_REPLY)
  const facts = new SentEvents<Fact>((data) => ({ candidates: candidatesOf(data) }))
  const joined = new JoinedParts()
  const args = new Map<unknown, number>()
  const wire = { array: false, closed: false, finished: new Map<number, boolean>() }
  const frame = (value: unknown): string => (wire.array ? `,${JSON.stringify(value)}]` : sse(value))

  return {
    read(event) {
      const deltas: StreamDelta[] = []
      const data = events.open(event, deltas)
      if (isObject(data) && Array.isArray(data.candidates)) {
        for (const [position, candidate] of (data.candidates as unknown[]).entries()) {
          const index = itemIndex(candidate, position)
          readCandidate({ events, joined, args, deltas }, candidate, index)
        }
        events.readBeside(deltas, data, 0, { path: BESIDE_CHOICES, without: 'candidates' })
      } else if (data !== undefined) events.readBeside(deltas, data)
      facts.note(event, data)
      return deltas
    },
    sent(event: StreamEvent) {
      for (const { index, finished } of facts.take(event).candidates) wire.finished.set(index, finished)
      // What comes after the last element is the bracket that closes the array.
      if (event.data === undefined && wire.array) wire.closed = true
      wire.array ||= event.element === true
    },
    block(decision, words = '') {
      if (wire.closed) return ''
      const open = [...wire.finished].filter(([, finished]) => !finished).map(([index]) => index)
      const indexes = open.length > 0 ? open : wire.finished.size > 0 ? [...wire.finished.keys()] : [0]
      return frame({
        candidates: indexes.map((index) => lastCandidate(words, index)),
        llama_guard: blockNote(decision),
      })
    },
    fail(error) {
      if (wire.closed) return ''
      const metadata = { type: failureType(error), code: error.code }
      return frame({ error: googleError(statusOf(error), error.message, error.code, metadata) })
    },
  }
}

export function lastCandidate(words: string, index = 0): Record<string, unknown> {
  return { content: { role: 'model', parts: [{ text: words }] }, finishReason: 'SAFETY', index }
}

function candidatesOf(data: unknown): Fact['candidates'] {
  if (!isObject(data) || !Array.isArray(data.candidates)) return []
  return (data.candidates as unknown[]).map((candidate, position) => ({
    index: itemIndex(candidate, position),
    finished: isObject(candidate) && typeof candidate.finishReason === 'string' && candidate.finishReason !== '',
  }))
}

interface Reading {
  readonly events: EventText
  readonly joined: JoinedParts
  /** Arguments of calls, by where they stand in the call. A channel has their number: its name may be logged. */
  readonly args: Map<unknown, number>
  readonly deltas: StreamDelta[]
}

/** Text and thoughts grow from event to event, and so do the arguments of a call, by the place they belong to. */
function readCandidate(reading: Reading, candidate: unknown, choice: number): void {
  const { events, joined, deltas } = reading
  for (const { text, thought } of textParts(candidate)) {
    const channel = thought ? 'thought' : 'text'
    deltas.push({ choice, channel, text })
    // Clients that know no thoughts join all parts.
    joined.add(deltas, choice, channel, text)
  }
  events.readBeside(deltas, withoutGrowing(reading, candidate, choice), choice, { fields: CANDIDATE })
}

/** The candidate without what was read of it. */
function withoutGrowing(reading: Reading, candidate: unknown, choice: number): unknown {
  if (!isObject(candidate) || !isObject(candidate.content) || !Array.isArray(candidate.content.parts)) return candidate
  const parts = (candidate.content.parts as unknown[]).map((part) => {
    if (!isObject(part)) return part
    const { text, ...rest } = part
    const call = isObject(part.functionCall) ? { functionCall: withoutArgs(reading, part.functionCall, choice) } : {}
    return { ...(typeof text === 'string' ? rest : part), ...call }
  })
  return { ...candidate, content: { ...candidate.content, parts } }
}

function withoutArgs({ args, deltas }: Reading, call: Record<string, unknown>, choice: number): unknown {
  if (!Array.isArray(call.partialArgs)) return call
  const partialArgs = (call.partialArgs as unknown[]).map((arg) => {
    if (!isObject(arg) || typeof arg.stringValue !== 'string') return arg
    const { stringValue, ...rest } = arg
    const number = args.get(rest.jsonPath) ?? args.size
    args.set(rest.jsonPath, number)
    deltas.push({ choice, channel: `args.${number}`, text: stringValue })
    return rest
  })
  return { ...call, partialArgs }
}
