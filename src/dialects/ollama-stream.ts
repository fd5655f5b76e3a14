// Ollama's stream: one JSON object a line, the last with `done`, errors as a line of their own.
// Apps that answer /api/chat with OpenAI chunks are read, and ended, in that form.
import type { LlamaGuardError } from '../errors.js'
import type { StreamDelta, StreamEvent, StreamReader } from '../types.js'
import { EventText, shortText, WireFacts } from './kit/stream-events.js'
import { isObject } from '../utils/json.js'
import { CHAT_CHUNK, openaiStream } from './openai-choices.js'
import { OPENAI_METADATA } from './kit/openai-vocabulary.js'
import { blockNote } from './kit/refusals.js'
import type { Emit, Vocabulary } from './kit/text-walker.js'

export const OLLAMA_REPLY: Vocabulary = {
  metadata: new Set([...OPENAI_METADATA, 'done_reason', 'remote_model', 'remote_host']),
  json: new Set(['arguments']),
  tokenLists: true,
  refuseMedia: true,
  code: 'unreadable_response',
}

export function ollamaStream(): StreamReader {
  let reader: StreamReader | undefined
  const pick = (event: StreamEvent): StreamReader =>
    (reader ??= hasChoices(event.data) ? openaiStream(CHAT_CHUNK) : nativeStream())
  return {
    // Comments before the first object say nothing about its form.
    read: (event) =>
      event.data === undefined && reader === undefined ? nativeStream().read(event) : pick(event).read(event),
    sent: (event) => reader?.sent(event),
    block: (decision) => (reader ?? nativeStream()).block(decision),
    fail: (error) => (reader ?? nativeStream()).fail(error),
  }
}

function hasChoices(data = ''): boolean {
  try {
    const value: unknown = JSON.parse(data)
    return isObject(value) && Array.isArray(value.choices)
  } catch {
    return false
  }
}

function nativeStream(): StreamReader {
  const events = new EventText(OLLAMA_REPLY)
  const facts = new WireFacts((data) =>
    isObject(data) ? { model: shortText(data.model), done: data.done === true } : { model: undefined, done: false },
  )
  const wire = { model: undefined as string | undefined, done: false }

  return {
    read(event) {
      const deltas: StreamDelta[] = []
      const data = events.open(event, deltas)
      const emit: Emit = (path, text, metadata) => {
        if (path.startsWith('message.') && !metadata) deltas.push({ choice: 0, channel: path, text })
        else events.beside(deltas, path, text, metadata)
      }
      if (data !== undefined) events.walker.walk(data, emit)
      facts.note(event, data)
      return deltas
    },
    sent(event) {
      const { model, done } = facts.take(event)
      wire.model ??= model
      wire.done ||= done
    },
    block(decision) {
      if (wire.done) return ''
      const message = { role: 'assistant', content: '' }
      const head = { model: wire.model ?? 'unknown', created_at: new Date().toISOString() }
      return line({ ...head, message, done: true, done_reason: 'content_filter', llama_guard: blockNote(decision) })
    },
    fail(error: LlamaGuardError) {
      return wire.done ? '' : line({ error: error.message, type: 'guard_unavailable', code: error.code })
    },
  }
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}
