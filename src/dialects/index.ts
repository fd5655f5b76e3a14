// The built-in dialects, and the choice of the one in which a stream is written. Adding an API is adding a file and a
// line here.
import { parseLoosely } from '../wire/json.js'
import { agUi } from './ag-ui.js'
import { aiSdk, aiSdkCompletion } from './ai-sdk.js'
import { anthropicMessages } from './anthropic-messages.js'
import { bedrockConverse, bedrockConverseStream } from './bedrock-converse.js'
import { cohereChat } from './cohere-chat.js'
import type { Dialect, Media, RpcCall, StreamEvent, StreamReader } from './dialect.js'
import { embeddings } from './embeddings.js'
import { geminiInteractions } from './gemini-interactions.js'
import { gemini, geminiStreaming } from './gemini.js'
import { images } from './images.js'
import { langGraph } from './langgraph.js'
import { mcp } from './mcp.js'
import { ollamaChat } from './ollama-chat.js'
import { openaiChat } from './openai-chat.js'
import { openaiCompletions } from './openai-completions.js'
import { openaiResponses } from './openai-responses.js'

export const BUILT_IN: readonly Dialect[] = [
  openaiChat,
  openaiCompletions,
  openaiResponses,
  anthropicMessages,
  ollamaChat,
  aiSdk,
  aiSdkCompletion,
  agUi,
  langGraph,
  mcp,
  embeddings,
  images,
  gemini,
  geminiStreaming,
  geminiInteractions,
  cohereChat,
  bedrockConverse,
  bedrockConverseStream,
]

/**
 * Reads in the API of the first event, else in the API that was asked. A custom dialect is always kept. `bare`: the
 * stream is labelled as text, so that the model may have written the events too.
 */
export function replyReader(
  asked: Dialect,
  {
    calls,
    bare = false,
    media,
  }: { calls?: readonly RpcCall[] | undefined; bare?: boolean; media?: Media | undefined } = {},
): StreamReader {
  let reader = asked.stream(calls, media)
  if (!BUILT_IN.includes(asked)) return reader
  let chosen = false
  let alone = bare
  return {
    read(raw) {
      // What stands in a plain text is judged with it.
      alone &&= raw.plain !== true
      const event = alone ? { ...raw, bare } : raw
      if (!chosen && event.data !== undefined) {
        chosen = true
        const dialect = dialectOf(asked, event)
        if (dialect !== asked) reader = dialect.stream(calls, media)
      }
      return reader.read(event)
    },
    get leaves() {
      return reader.leaves
    },
    block: (decision, words) => reader.block(decision, words),
    fail: (error) => reader.fail(error),
  }
}

function dialectOf(asked: Dialect, { data: text = '', part, plain }: StreamEvent): Dialect {
  // Only the AI SDK's data stream has lines that begin with a type code.
  if (part !== undefined) return aiSdk
  if (plain === true) return asked
  const data = parseLoosely(text)?.value
  if (asked.answers?.(data) === true) return asked
  return BUILT_IN.find((dialect) => dialect.answers?.(data) === true) ?? asked
}
