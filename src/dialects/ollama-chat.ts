// Ollama's native chat and generation: `/api/chat` and `/api/generate`, one JSON object or NDJSON lines of them, errors
// as a plain string.
// https://github.com/ollama/ollama/blob/main/docs/api.md
import type { Decision } from '../types.js'
import type { Dialect, Media, Refusal, StreamReader } from './dialect.js'
import { eventReader, shortText } from './kit/event-reader.js'
import { blockNote, refusalDetails, failureType } from './kit/refusals.js'
import { type ReplyFields, server, words, reading } from './kit/reply-fields.js'
import { claiming, readRequest } from './kit/read-request.js'

const TOKEN: ReplyFields = { token: 'tokens', ...server('logprob bytes') }
const OLLAMA_REPLY: ReplyFields = {
  ...server(
    'model created_at done done_reason context remote_model remote_host total_duration load_duration prompt_eval_count',
  ),
  ...server('prompt_eval_duration eval_count eval_duration'),
  ...words('response thinking error'),
  message: {
    ...server('role tool_name'),
    ...words('content thinking images'),
    tool_calls: { ...server('id type'), function: { ...server('index'), ...words('name'), arguments: 'json' } },
  },
  logprobs: { ...TOKEN, top_logprobs: TOKEN },
}

const FIELDS = { messages: 'messages', prompt: 'prompt', suffix: 'prompt' } as const

const START: { readonly model: string | undefined; readonly over: boolean } = { model: undefined, over: false }

function ollamaStream(_calls?: unknown, media?: Media): StreamReader {
  return eventReader({
    fields: OLLAMA_REPLY,
    options: { media },
    read: (texts, data) => texts.walk(data, { grows: /^(?:message\.|response$|thinking$)/ }),
    start: START,
    after: (state, { model, done }) => ({ model: state.model ?? shortText(model), over: state.over || done === true }),
    block: ({ model }, decision, words = '') => line(lastLine(model, words, 'content_filter', decision)),
    fail: (_state, error) => line({ error: error.message, type: failureType(error), code: error.code }),
  })
}

function lastLine(model: string | undefined, words: string, reason: string, decision: Decision): unknown {
  return {
    model: model ?? 'unknown',
    created_at: new Date().toISOString(),
    message: { role: 'assistant', content: words },
    response: words,
    done: true,
    done_reason: reason,
    llama_guard: blockNote(decision),
  }
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}

export const ollamaChat: Dialect = {
  name: 'ollama-chat',
  paths: ['/api/chat', '/api/generate'],
  framing: 'ndjson',
  // Many apps name their own route /api/chat. A request to Ollama names a model.
  claims: claiming({ model: 'text', messages: 'value' }, { '~model': 'text', '~prompt': 'text' }),
  // Ollama streams by default.
  request: (body) => readRequest({ fields: FIELDS, streams: ({ stream }) => stream !== false }, body),
  reply: reading(OLLAMA_REPLY, { message: 'object' }, { response: 'text', done: 'given' }),
  stream: ollamaStream,
  // Ollama's clients show `error` unchanged, so it must be a string. The other facts stand beside it.
  refusal: (refusal) => ({
    error: refusal.message,
    type: refusal.type,
    code: refusal.code,
    ...param(refusal),
    ...refusalDetails(refusal),
  }),
  decline: ({ words, model, decision }) => lastLine(model, words, 'stop', decision),
}

function param({ code, stage }: Refusal): { param?: string } {
  return code === 'content_filter' ? { param: stage === 'input' ? 'messages' : 'message' } : {}
}
