// A reply of each API with words of one's choice.

/** By dialect. Embeddings and images answer with data, which passes. */
export const REPLIES: Readonly<Record<string, (text: string) => object>> = {
  'openai-chat': (text) => ({ choices: [{ index: 0, message: { role: 'assistant', content: text } }] }),
  'openai-completions': (text) => ({ choices: [{ index: 0, text }] }),
  'openai-responses': (text) => ({ output: [{ type: 'message', content: [{ type: 'output_text', text }] }] }),
  'anthropic-messages': (text) => ({ type: 'message', content: [{ type: 'text', text }] }),
  'ollama-chat': (text) => ({ message: { role: 'assistant', content: text }, done: true }),
  'ai-sdk': (url) => ({ type: 'file', mediaType: 'audio/wav', url }),
  'ai-sdk-completion': (url) => ({ type: 'file', mediaType: 'audio/wav', url }),
  'ag-ui': (text) => ({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: { text } }),
  langgraph: (text) => ({ messages: [{ type: 'ai', content: text }] }),
  gemini: (fileUri) => ({ candidates: [{ content: { role: 'model', parts: [{ fileData: { fileUri } }] } }] }),
  'gemini-stream': (fileUri) => ({ candidates: [{ content: { role: 'model', parts: [{ fileData: { fileUri } }] } }] }),
  'gemini-interactions': (text) => ({ steps: [{ type: 'model_output', content: [{ type: 'text', text }] }] }),
  'cohere-chat': (text) => ({ message: { role: 'assistant', content: [{ type: 'text', text }] } }),
  'bedrock-converse': (text) => ({ output: { message: { role: 'assistant', content: [{ text }] } } }),
  'bedrock-converse-stream': (text) => ({ output: { message: { role: 'assistant', content: [{ text }] } } }),
  generic: (text) => ({ answer: text }),
}
