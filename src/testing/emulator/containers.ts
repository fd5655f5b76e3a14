// The serving containers: which request they refuse and in which words, and the shape they wrap an answer in.
// Texts and rules are those of text-generation-inference 2.0 (router/src/validation.rs) and djl-serving 0.29 and later.
import type { Answer, Asked } from './model.js'

/**
 * `tgi` and `lmi` (current), `lmi-0.29` (`log_prob`), `lmi-compat` (an array, as TGI), `openai-chat` and
 * `openai-completions` (what vLLM based containers answer).
 */
export type Container = 'tgi' | 'lmi' | 'lmi-0.29' | 'lmi-compat' | 'openai-chat' | 'openai-completions'

interface Refused {
  readonly status: number
  readonly text: string
}

interface Token {
  readonly text: string
  readonly logprob: number
  readonly special: boolean
}

/** The text the model reads: raw `inputs`, a `prompt`, or the text of the last chat message. */
export function promptOf(body: Record<string, unknown>): string | undefined {
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

export function tokens(text: string): number {
  return Math.ceil(text.length / 4)
}

/** Why the container refuses the request, or undefined. */
export function checkParameters(
  container: Container,
  type: string | undefined,
  body: Record<string, unknown> | undefined,
  context: number,
): Refused | undefined {
  if (!/^application\/json\b/.test(type ?? ''))
    return { status: 415, text: 'Expected request with `Content-Type: application/json`' }
  if (body === undefined)
    return { status: 400, text: 'Failed to parse the request body as JSON: expected value at line 1 column 1' }
  const prompt = promptOf(body)
  if (prompt === undefined)
    return {
      status: 422,
      text: 'Failed to deserialize the JSON body into the target type: missing field `inputs` at line 1 column 2',
    }
  const given = (body['parameters'] ?? {}) as Record<string, unknown>
  return container === 'tgi' ? checkTgi(prompt, given, context) : checkLength(prompt, given, context)
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

function checkTgi(prompt: string, given: Record<string, unknown>, context: number): Refused | undefined {
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
  const total = tokens(prompt) + (max ?? 100)
  if (total > context)
    return invalid(
      `\`inputs\` tokens + \`max_new_tokens\` must be <= ${context}. Given: ${tokens(prompt)} \`inputs\` tokens and ${max} \`max_new_tokens\``,
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
  received: { prompt: string | undefined; body: Record<string, unknown> | undefined; asked: Asked | undefined },
  answer: Answer,
): string {
  const prompt = received.prompt ?? ''
  const given = (received.body?.['parameters'] ?? {}) as Record<string, unknown>
  const made = split(answer, received.asked?.version)
  const finish = answer.finishReason ?? 'eos_token'
  // TGI echoes the prompt unless it is told not to, and the prompt holds both "safe" and "unsafe".
  const text = given['return_full_text'] === false || container !== 'tgi' ? answer.text : prompt + answer.text
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
      return JSON.stringify([
        {
          generated_text: text,
          ...(given['details'] === true && {
            details: {
              finish_reason: finish,
              generated_tokens: made.length,
              seed: null,
              prefill: [],
              tokens: logprobs('logprob'),
            },
          }),
        },
      ])
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
            logprobs: {
              content: made.map((token) => ({
                token: token.text,
                logprob: token.logprob,
                bytes: null,
                top_logprobs: [],
              })),
            },
          },
        ],
      })
    case 'openai-completions':
      return JSON.stringify({
        ...openai,
        object: 'text_completion',
        choices: [
          {
            index: 0,
            text,
            finish_reason: reason,
            logprobs: {
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

/** Tokens as the version's tokenizer makes them: Llama Guard 1's has no `unsafe`, only `un` and `safe`. */
function split(answer: Answer, version: Asked['version']): Token[] {
  const sure = Math.log(Math.min(1, Math.max(1e-9, answer.confidence ?? 0.98)))
  const pieces = answer.text.match(/\n\n|\n|unsafe|safe|[A-Za-z]+|\d+|\s|[^\s\w]+/g) ?? []
  const words = version === 1 ? pieces.flatMap((piece) => (piece === 'unsafe' ? ['un', 'safe'] : [piece])) : pieces
  const verdict = words.findIndex((word) => /^(?:un|(?:un)?safe|Unsafe|Safe|Controversial|Yes|No)$/.test(word))
  const body = words.map((text, index) => ({ text, logprob: index === verdict ? sure : -0.0001, special: false }))
  const end = version === 1 ? '</s>' : version === 4 ? '<|eot|>' : '<|eot_id|>'
  return [...body, { text: end, logprob: -0.0001, special: true }]
}
