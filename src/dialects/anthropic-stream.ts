// Anthropic's stream: message_start, blocks that start, grow and stop, message_delta, message_stop.
// A block must close what it opened, or the SDK waits for more; so open blocks are tracked as they leave.
import type { StreamDelta, StreamEvent, StreamReader } from '../types.js'
import { ANTHROPIC_REPLY } from './anthropic-vocabulary.js'
import { EventText, shortText, WireFacts } from './kit/stream-events.js'
import { blockMessage, blockNote, sse } from './kit/refusals.js'
import { isObject, itemIndex } from '../utils/json.js'

interface Fact {
  readonly type: string | undefined
  readonly index: number
}

export function anthropicStream(): StreamReader {
  const events = new EventText(ANTHROPIC_REPLY)
  const facts = new WireFacts(factOf)
  const wire = { started: false, stopped: false, open: new Set<number>() }

  return {
    read(event) {
      const deltas: StreamDelta[] = []
      const data = events.open(event, deltas)
      if (data !== undefined) {
        const base = isObject(data) && 'index' in data ? `content.${itemIndex(data, 0)}` : ''
        events.walker.walk(data, (path, text, metadata) => {
          // The start of a block and its deltas are one text: `content_block.text`, then `delta.text`.
          const channel = base === '' ? path : `${base}.${path.replace(/^(?:content_block|delta)\./, '')}`
          if (metadata) events.beside(deltas, channel, text, true)
          else deltas.push({ choice: 0, channel, text })
        })
      }
      facts.note(event, data)
      return deltas
    },
    sent(event) {
      const { type, index } = facts.take(event)
      if (type === 'message_start') wire.started = true
      else if (type === 'content_block_start') wire.open.add(index)
      else if (type === 'content_block_stop') wire.open.delete(index)
      else if (type === 'message_stop') wire.stopped = true
    },
    block(decision) {
      if (wire.stopped) return ''
      const frames: Record<string, unknown>[] = []
      if (!wire.started) frames.push({ type: 'message_start', message: emptyMessage() })
      for (const index of wire.open) frames.push({ type: 'content_block_stop', index })
      const stop = { type: 'refusal', category: null, explanation: blockMessage(decision) }
      const delta = { stop_reason: 'refusal', stop_sequence: null, stop_details: stop }
      frames.push(
        { type: 'message_delta', delta, usage: { output_tokens: 0 }, llama_guard: blockNote(decision) },
        { type: 'message_stop' },
      )
      return frames.map((frame) => sse(frame, String(frame.type))).join('')
    },
    fail(error) {
      return wire.stopped
        ? ''
        : sse(
            { type: 'error', error: { type: 'guard_unavailable', message: error.message, code: error.code } },
            'error',
          )
    },
  }
}

function factOf(data: unknown, event: StreamEvent): Fact {
  return { type: isObject(data) ? shortText(data.type) : event.event, index: itemIndex(data, 0) }
}

function emptyMessage(): Record<string, unknown> {
  const rest = { stop_reason: null, stop_sequence: null, usage: { input_tokens: 0, output_tokens: 0 } }
  return { id: 'msg_llama_guard', type: 'message', role: 'assistant', content: [], model: 'unknown', ...rest }
}
