// The serving containers: what they read in a request, which requests they refuse and in which words
// (text-generation-inference 2.0, router/src/validation.rs; djl-serving 0.29 and later; vLLM), and the shape that each
// wraps an answer in.
import type { IncomingHttpHeaders } from 'node:http'
import type { Answer, Asked } from '../../src/testing/model.js'
import { answerOfTgi, type Body, tokensOf } from '../../src/testing/tgi.js'

/**
 * `tgi` and `lmi` (current), `lmi-0.29` (`log_prob`), `lmi-compat` (an array, as TGI), `openai-chat` and
 * `openai-completions` (what vLLM based containers answer), and `vllm` (vLLM's own image, which takes OpenAI's requests
 * only).
 */
export type Container = 'tgi' | 'lmi' | 'lmi-0.29' | 'lmi-compat' | 'openai-chat' | 'openai-completions' | 'vllm'

const ATTRIBUTES = 'x-amzn-sagemaker-custom-attributes'

export interface Refused {
  readonly status: number
  readonly text: string
}

/** An estimate: four characters each. */
function tokens(text: string): number {
  return Math.ceil(text.length / 4)
}

/** Why every container refuses such a request, or undefined. */
function refuseForm(type: string | undefined, body: Body | undefined): Refused | undefined {
  if (!/^application\/json\b/.test(type ?? ''))
    return { status: 415, text: 'Expected request with `Content-Type: application/json`' }
  if (body !== undefined) return undefined
  return { status: 400, text: 'Failed to parse the request body as JSON: expected value at line 1 column 1' }
}

const TYPES: Record<string, 'number' | 'boolean' | 'string'> = {
  max_new_tokens: 'number',
  temperature: 'number',
  top_p: 'number',
  top_k: 'number',
  top_n_tokens: 'number',
  truncate: 'number',
  do_sample: 'boolean',
  return_full_text: 'boolean',
  details: 'boolean',
  decoder_input_details: 'boolean',
  watermark: 'boolean',
}

/** Why the container refuses the request, or undefined. `context`: its room, in tokens. */
function refuseForTgi(body: Body, prompt: string | undefined, context: number): Refused | undefined {
  if (prompt === undefined)
    return {
      status: 422,
      text: 'Failed to deserialize the JSON body into the target type: missing field `inputs` at line 1 column 2',
    }
  const given = (body['parameters'] ?? {}) as Record<string, unknown>
  for (const [name, value] of Object.entries(given)) {
    if (TYPES[name] !== undefined && value !== null && typeof value !== TYPES[name])
      return {
        status: 422,
        text: `Failed to deserialize the JSON body into the target type: parameters.${name}: invalid type, expected ${TYPES[name]}`,
      }
  }
  const invalid = (text: string): Refused => ({
    status: 422,
    text: JSON.stringify({ error: `Input validation error: ${text}`, error_type: 'validation' }),
  })
  const {
    temperature,
    max_new_tokens: max = 100,
    top_n_tokens: top,
    truncate,
  } = given as Record<string, number | null | undefined>
  if (typeof temperature === 'number' && temperature <= 0) return invalid('`temperature` must be strictly positive')
  if (max === 0) return invalid('`max_new_tokens` must be strictly positive')
  if (typeof top === 'number' && (top < 0 || top > 5))
    return invalid(`\`top_n_tokens\` must be >= 0 and <= 5. Given: ${top}`)
  if (truncate === 0) return invalid(`\`truncate\` must be strictly positive and less than ${context}. Given: 0`)
  if (prompt === '') return invalid('`inputs` cannot be empty')
  if (tokens(prompt) + (max ?? 100) <= context) return undefined
  return invalid(
    `\`inputs\` tokens + \`max_new_tokens\` must be <= ${context}. Given: ${tokens(prompt)} \`inputs\` tokens and ${max} \`max_new_tokens\``,
  )
}

/** The text the model reads: raw `inputs`, a `prompt`, or the text of the last chat message. */
export function promptOf(body: Body): string | undefined {
  if (typeof body['inputs'] === 'string') return body['inputs']
  if (typeof body['prompt'] === 'string') return body['prompt']
  const messages = body['messages']
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined
  const content: unknown = typeof last === 'object' && last !== null && 'content' in last ? last.content : undefined
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return undefined
  return content
    .map((part: unknown) => (typeof part === 'object' && part !== null && 'text' in part ? String(part.text) : ''))
    .join('')
}

/** Why the container refuses the request, or undefined. */
export function checkParameters(
  container: Container,
  { 'content-type': type, [ATTRIBUTES]: attributes }: IncomingHttpHeaders,
  body: Body | undefined,
  context: number,
): Refused | undefined {
  const refused = refuseForm(type, body)
  if (refused !== undefined || body === undefined) return refused
  if (container === 'vllm') return checkVllm(body, attributes, context)
  const prompt = promptOf(body)
  if (container === 'tgi' || prompt === undefined) return refuseForTgi(body, prompt, context)
  return checkLength(prompt, (body['parameters'] ?? {}) as Record<string, unknown>, context)
}

/** vLLM's image takes the route from the header, and else the first of its APIs whose request the body is. */
function checkVllm(body: Body, attributes: string | string[] | undefined, context: number): Refused | undefined {
  const refused = (status: number, message: string, type = 'BadRequestError'): Refused => ({
    status,
    text: JSON.stringify({ error: { message, type, param: null, code: status } }),
  })
  const route = /(?:^|,)route=([^,]*)/.exec(String(attributes ?? ''))?.[1]
  if (route !== undefined && route !== '/v1/completions' && route !== '/v1/chat/completions')
    return refused(404, 'Not Found', 'NotFoundError')
  if (!Array.isArray(body['messages']) && typeof body['prompt'] !== 'string')
    return refused(
      400,
      "Cannot find suitable handler for request. Expected one of: ['ChatCompletionRequest', 'CompletionRequest']",
    )
  const used = tokens(promptOf(body) ?? '')
  const max = typeof body['max_tokens'] === 'number' ? body['max_tokens'] : 16
  if (used + max > context)
    return refused(
      400,
      `This model's maximum context length is ${context} tokens. However, you requested ${max} output tokens and your prompt contains ${used} input tokens, for a total of ${used + max} tokens. Please reduce the length of the input prompt or the number of requested output tokens.`,
    )
  return undefined
}

function checkLength(prompt: string, given: Record<string, unknown>, context: number): Refused | undefined {
  const max = typeof given['max_new_tokens'] === 'number' ? given['max_new_tokens'] : 30
  if (tokens(prompt) + max <= context) return undefined
  const error = `This model's maximum context length is ${context} tokens. However, you requested ${tokens(prompt) + max} tokens (${tokens(prompt)} in the messages, ${max} in the completion). Please reduce the length of the messages or completion.`
  return { status: 424, text: JSON.stringify({ error, code: 424 }) }
}

/** JSON text of the answer in the container's shape. */
export function answerLike(
  container: Container,
  received: { prompt: string | undefined; body: Body | undefined; asked: Asked | undefined },
  answer: Answer,
): string {
  const prompt = received.prompt ?? ''
  const given = (received.body?.['parameters'] ?? {}) as Record<string, unknown>
  const made = tokensOf(answer, received.asked?.version)
  const finish = answer.finishReason ?? 'eos_token'
  const { text } = answer
  const logprobs = (name: string) =>
    made.map((token, id) => ({ id, text: token.text, [name]: token.logprob, special: token.special }))
  const usage = {
    prompt_tokens: tokens(prompt),
    completion_tokens: made.length,
    total_tokens: tokens(prompt) + made.length,
  }
  const openai = { id: 'cmpl-0', created: 1711997860, model: 'llama-guard', usage }
  const reason = finish === 'eos_token' || finish === 'stop_sequence' ? 'stop' : finish
  switch (container) {
    case 'tgi':
      return answerOfTgi(received.body, prompt, received.asked, answer)
    case 'lmi':
      // Current LMI reports vLLM's stop_reason, which is null at the end of the sequence.
      return JSON.stringify({
        generated_text: text,
        ...(given['details'] === true && {
          details: {
            finish_reason: finish === 'eos_token' ? null : finish,
            generated_tokens: made.length,
            inputs: prompt,
            tokens: logprobs('logprob'),
          },
        }),
      })
    case 'lmi-0.29':
      return JSON.stringify({
        generated_text: text,
        ...(given['details'] === true && {
          details: {
            finish_reason: finish,
            generated_tokens: made.length,
            inputs: prompt,
            tokens: logprobs('log_prob'),
          },
        }),
      })
    case 'lmi-compat':
      return JSON.stringify([
        {
          generated_text: text,
          details: { finish_reason: finish, generated_tokens: made.length, tokens: logprobs('log_prob') },
        },
      ])
    case 'openai-chat':
      return JSON.stringify({
        ...openai,
        object: 'chat.completion',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: text },
            finish_reason: reason,
            logprobs: null,
          },
        ],
      })
    case 'vllm':
    case 'openai-completions':
      return JSON.stringify({
        ...openai,
        object: 'text_completion',
        choices: [
          {
            index: 0,
            text,
            finish_reason: reason,
            logprobs:
              container === 'vllm' && received.body?.['logprobs'] === undefined
                ? null
                : {
                    tokens: made.map((token) => token.text),
                    token_logprobs: made.map((token) => token.logprob),
                    top_logprobs: null,
                    text_offset: [],
                  },
          },
        ],
      })
  }
}

export interface LabelScore {
  readonly label: string
  readonly score: number
}

/** The answer of djl-serving's Hugging Face handler: a list for the list of texts that it makes of one. */
export function classifierAnswer(labels: readonly LabelScore[], body: Body | undefined): string {
  const parameters = (body?.['parameters'] ?? {}) as Record<string, unknown>
  return JSON.stringify(parameters['top_k'] === null ? [labels] : labels.slice(0, 1))
}
