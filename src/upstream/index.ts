// The door to what comes after the guard: any OpenAI-compatible URL, or a chat model on a SageMaker endpoint.
export { httpUpstream } from './http.js'
export type { HttpUpstreamOptions } from './http.js'
export { sagemakerChatUpstream } from './sagemaker-chat.js'
export type { ChatFormat, SageMakerChatOptions } from './sagemaker-chat.js'
export type { Upstream, UpstreamCall } from './types.js'
