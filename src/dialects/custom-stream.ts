// The stream of a custom dialect: the user's function says which words are new, the walker finds what it left out.
// Both are judged; text the function returned is not judged a second time.
import type { StreamDelta, StreamReader } from '../types.js'
import { EventText, isDone, WireFacts } from './kit/stream-events.js'
import { OPAQUE, OPENAI_CONTAINERS, OPENAI_METADATA } from './kit/openai-vocabulary.js'
import { blockNote, sse, streamFailure } from './kit/refusals.js'
import type { Vocabulary } from './kit/text-walker.js'

export const CUSTOM_REPLY: Vocabulary = {
  metadata: OPENAI_METADATA,
  containers: OPENAI_CONTAINERS,
  opaque: OPAQUE,
  tokenLists: true,
  refuseMedia: true,
  code: 'unreadable_response',
}

export function customStream(framing: 'sse' | 'ndjson', delta: (data: unknown) => string | undefined): StreamReader {
  const events = new EventText(CUSTOM_REPLY)
  const facts = new WireFacts((_data, event) => isDone(event))
  const frame = (value: unknown): string => (framing === 'sse' ? sse(value) : `${JSON.stringify(value)}\n`)
  let done = false

  return {
    read(event) {
      const deltas: StreamDelta[] = []
      const data = events.open(event, deltas)
      if (data !== undefined) {
        const said = delta(data) ?? ''
        if (said !== '') deltas.push({ choice: 0, channel: 'delta', text: said })
        events.walker.walk(data, (path, text, metadata) => {
          if (!said.includes(text)) events.beside(deltas, path, text, metadata)
        })
      }
      facts.note(event, data)
      return deltas
    },
    sent(event) {
      done ||= facts.take(event)
    },
    block(decision) {
      if (done) return ''
      const note = frame({ finish_reason: 'content_filter', llama_guard: blockNote(decision) })
      return framing === 'sse' ? `${note}data: [DONE]\n\n` : note
    },
    fail: (error) => (done ? '' : frame({ error: streamFailure(error) })),
  }
}
