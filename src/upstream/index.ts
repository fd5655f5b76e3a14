// The model behind the guard: an OpenAI-compatible URL, or a chat model on a SageMaker endpoint.
export { httpUpstream } from './http/index.js'
export type { HttpUpstreamOptions } from './http/index.js'
export { sagemakerChatUpstream } from './sagemaker/index.js'
export type { ChatFormat, SageMakerChatOptions } from './sagemaker/index.js'
export type { Upstream, UpstreamCall } from './types.js'
