// Vercel AI SDK: what `useChat` and `useCompletion` of versions 4 to 7 send, and a UI message as JSON.
// https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
import { isObject } from '../utils/json.js'
import { AI_SDK_REPLY, uiMessageStream } from './ai-sdk-stream.js'
import type { Declined, Dialect, ReplyChoice } from './dialect.js'
import { unreadable } from './kit/media.js'
import { readMessages } from './kit/messages.js'
import { readParameters } from './kit/parameters.js'
import { blockNote, openaiRefusal } from './kit/refusals.js'
import { RequestBuilder } from './kit/request-builder.js'
import { RequestWalker } from './kit/request-walker.js'
import { oneChoice } from './kit/whole-reply.js'

const READ = new Set(['messages', 'message', 'prompt'])

export const aiSdk: Dialect = {
  name: 'ai-sdk',
  paths: ['/api/use-chat'],
  // Text streams, and the data stream of version 4, are plain text to their label.
  framing: 'text',
  marks: { 'x-vercel-ai-ui-message-stream': 'text', 'x-vercel-ai-data-stream': 'data-stream' },
  headers: { 'x-vercel-ai-ui-message-stream': 'v1' },
  claims: ({ messages, message }) => (Array.isArray(messages) && messages.some(hasParts)) || hasParts(message),
  answers: (event) => isObject(event) && typeof event.type === 'string' && UI_EVENT.test(event.type),
  request(body) {
    const walker = new RequestWalker(body)
    const builder = new RequestBuilder()
    readSaid(body, walker, builder)
    readParameters(body, READ, walker, builder)
    return builder.build(true, undefined)
  },
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
  claims: ({ prompt }) => typeof prompt === 'string',
}

const UI_EVENT =
  /^(?:start|start-step|finish-step|reset-step|message-metadata|(?:text|reasoning)-(?:start|delta|end)|tool-(?:input|output)-[a-z]{1,20}|data-[\w-]{1,64})$/

function hasParts(message: unknown): boolean {
  return isObject(message) && Array.isArray(message.parts)
}

/** `useChat` sends all messages or, with a history kept by the server, the newest alone; `useCompletion` a prompt. */
function readSaid(body: Readonly<Record<string, unknown>>, walker: RequestWalker, builder: RequestBuilder): void {
  const { messages, message, prompt } = body
  if (messages === undefined && message === undefined && prompt === undefined)
    throw unreadable('The body has neither `messages` nor `message` nor `prompt`')
  if (messages !== undefined) readMessages(messages, walker, builder)
  if (message !== undefined) readMessages([message], walker, builder)
  if (typeof prompt === 'string') builder.say({ role: 'User', text: prompt, human: true })
  else if (prompt !== undefined) throw unreadable('`prompt` is not text')
}

/** A UI message as JSON, alone or in a list. */
function readReply(body: unknown): readonly ReplyChoice[] | undefined {
  const list: readonly unknown[] = Array.isArray(body) ? body : [body]
  if (list.length === 0 || !list.every(hasParts)) return undefined
  return oneChoice(body, AI_SDK_REPLY)
}
