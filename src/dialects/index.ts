// The built-in dialects. Adding an API is adding a file and a line here.
import { agUi } from './ag-ui.js'
import { aiSdk, aiSdkCompletion } from './ai-sdk.js'
import { anthropicMessages } from './anthropic-messages.js'
import { bedrockConverse, bedrockConverseStream } from './bedrock-converse.js'
import { cohereChat } from './cohere-chat.js'
import type { Dialect } from './dialect.js'
import { embeddings } from './embeddings.js'
import { images } from './images.js'
import { langGraph } from './langgraph.js'
import { gemini, geminiStreaming } from './gemini.js'
import { mcp } from './mcp.js'
import { ollamaChat } from './ollama-chat.js'
import { openaiAssistants } from './openai-assistants.js'
import { openaiChat } from './openai-chat.js'
import { openaiCompletions } from './openai-completions.js'
import { openaiResponses } from './openai-responses.js'

export const BUILT_IN: readonly Dialect[] = [
  openaiChat,
  openaiCompletions,
  openaiResponses,
  openaiAssistants,
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
  cohereChat,
  bedrockConverse,
  bedrockConverseStream,
]
