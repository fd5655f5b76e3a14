// Vercel AI SDK: what `useChat` and `useCompletion` of versions 4 to 7 send, and a UI message as JSON.
// https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
import { isObject } from '../utils/json.js'
import { AI_SDK_REPLY, uiMessageStream } from './ai-sdk-stream.js'
import type { Declined, Dialect, ReplyChoice } from './dialect.js'
import { readRequest, type RequestFacts } from './kit/read-request.js'
import { blockNote, openaiRefusal } from './kit/refusals.js'
import { oneChoice } from './kit/whole-reply.js'

const FACTS: RequestFacts = {
  fields: { messages: 'messages', message: 'messages', prompt: 'prompt' },
  streams: () => true,
}

export const aiSdk: Dialect = {
  name: 'ai-sdk',
  paths: ['/api/use-chat'],
  // Text streams, and the data stream of version 4, are plain text to their label.
  framing: 'text',
  marks: { 'x-vercel-ai-ui-message-stream': 'text', 'x-vercel-ai-data-stream': 'data-stream' },
  headers: { 'x-vercel-ai-ui-message-stream': 'v1' },
  distinct: true,
  claims: ({ messages, message }) => (Array.isArray(messages) && messages.some(hasParts)) || hasParts(message),
  answers: (event) => isObject(event) && typeof event.type === 'string' && UI_EVENT.test(event.type),
  // `useChat` sends all messages or, with a history kept by the server, the newest alone; `useCompletion` a prompt.
  request: (body) => readRequest(FACTS, body),
  reply: readReply,
  stream: uiMessageStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'messages', output: 'parts' }),
  decline: ({ words, decision }: Declined) => ({
    id: 'msg-llama-guard',
    role: 'assistant',
    parts: [{ type: 'text', text: words, state: 'done' }],
    metadata: { llama_guard: blockNote(decision) },
  }),
}

/** `useCompletion`: a prompt alone, on the path that is the hook's default. */
export const aiSdkCompletion: Dialect = {
  ...aiSdk,
  name: 'ai-sdk-completion',
  paths: ['/api/completion'],
  distinct: false,
  claims: ({ prompt }) => typeof prompt === 'string',
}

const UI_EVENT =
  /^(?:start|start-step|finish-step|reset-step|message-metadata|(?:text|reasoning)-(?:start|delta|end)|tool-(?:input|output)-[a-z]{1,20}|data-[\w-]{1,64})$/

function hasParts(message: unknown): boolean {
  return isObject(message) && Array.isArray(message.parts)
}

/** A UI message as JSON, alone or in a list. */
function readReply(body: unknown): readonly ReplyChoice[] | undefined {
  const list: readonly unknown[] = Array.isArray(body) ? body : [body]
  if (list.length === 0 || !list.every(hasParts)) return undefined
  return oneChoice(body, AI_SDK_REPLY)
}
