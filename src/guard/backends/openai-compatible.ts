// A Llama Guard model behind any server with OpenAI's text completions: vLLM, SGLang, Text Generation Inference,
// llama.cpp. Prompts are sent raw, because a chat route would wrap our prompt in the guard's template a second time.
import { ALTERNATIVES, type Complete, type Completer, readCompletion } from '../answer/completion.js'
import { jsonClient } from './json-client.js'

export interface OpenAiCompatibleOptions {
  /** Base URL, for example `http://localhost:8000/v1`; `/completions` is added. Redirects are not followed. */
  readonly url: string
  /** Sent as a bearer token. Never logged, never part of an error. */
  readonly apiKey?: string | undefined
  /** The name by which the server knows the model. vLLM works without it; most other servers need it. */
  readonly model?: string | undefined
  /** Milliseconds one call may take, answer included. A later answer is `guard_timeout`. */
  readonly timeoutMs: number
  /** The most sockets kept open. */
  readonly concurrency: number
  /** The most tokens of an answer. Default: 32. */
  readonly maxNewTokens?: number
  /** True for a model of chats that thinks before it answers. It is asked to think little. Default: false. */
  readonly thinks?: boolean
}

/** Posts a prompt in the form of a route. */
function completing(
  o: OpenAiCompatibleOptions,
  route: string,
  form: (prompt: string, logprobs: boolean) => object,
): Completer {
  const { post, close, address } = jsonClient({ ...o, route })
  const complete: Complete = async (prompt, { signal, logprobs }) => {
    const body = { ...form(prompt, logprobs), max_tokens: o.maxNewTokens ?? 32, temperature: 0, stream: false }
    return readCompletion(await post({ ...(o.model && { model: o.model }), ...body }, signal))
  }
  return Object.assign(complete, { close, identity: JSON.stringify(['openai', address, o.model ?? null]) })
}

/**
 * Completes raw prompts with `POST {url}/completions` (vLLM, SGLang, TGI from 2.0, llama.cpp's server, LiteLLM in
 * front of them).
 * There is no chat form. The guard's chat template renders a conversation right only on vLLM, and only where its
 * message parts reach the template as parts. TGI and LMI flatten the parts, so that Llama Guard 3 1B, 11B Vision and
 * 4 see an empty conversation and call it safe. Ollama wraps completions in the model's template too: give it a model
 * made with `TEMPLATE {{ .Prompt }}`.
 * @throws LlamaGuardError `invalid_option` at once for a URL or key that cannot work. A call rejects with a `guard_*`
 * code for everything that goes wrong.
 */
export const openAiCompatibleComplete = (o: OpenAiCompatibleOptions): Completer =>
  completing(o, '/completions', (prompt, logprobs) => ({ prompt, ...(logprobs && { logprobs: ALTERNATIVES }) }))

/**
 * Completes chats with `POST {url}/chat/completions`, for a guard model whose format the server makes. A prompt is a
 * JSON list of messages. The model answers without log probabilities.
 * @throws LlamaGuardError as {@link openAiCompatibleComplete}.
 */
export const openAiChatComplete = (o: OpenAiCompatibleOptions): Completer =>
  completing(o, '/chat/completions', (prompt) => ({
    messages: JSON.parse(prompt) as unknown,
    ...(o.thinks && { reasoning_effort: 'low' }),
  }))
