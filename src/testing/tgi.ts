// A container of text-generation-inference 2.0: which requests it refuses, in its own words
// (router/src/validation.rs), and the shape of its answers.
import type { Answer, Asked } from './model.js'

export interface Refused {
  readonly status: number
  readonly text: string
}

export type Body = Readonly<Record<string, unknown>>

/** An estimate: four characters each. */
export function tokens(text: string): number {
  return Math.ceil(text.length / 4)
}

/** Why every container refuses such a request, or undefined. */
export function refuseForm(type: string | undefined, body: Body | undefined): Refused | undefined {
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
export function refuseForTgi(body: Body, prompt: string | undefined, context: number): Refused | undefined {
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

interface Token {
  readonly text: string
  readonly logprob: number
  readonly special: boolean
}

/** Tokens as the version's tokenizer makes them: Llama Guard 1's has no `unsafe`, only `un` and `safe`. */
export function tokensOf(answer: Answer, version: Asked['version']): readonly Token[] {
  const sure = Math.log(Math.min(1, Math.max(1e-9, answer.confidence ?? 0.98)))
  const pieces = answer.text.match(/\n\n|\n|unsafe|safe|[A-Za-z]+|\d+|\s|[^\s\w]+/g) ?? []
  const words = version === 1 ? pieces.flatMap((piece) => (piece === 'unsafe' ? ['un', 'safe'] : [piece])) : pieces
  const verdict = words.findIndex((word) => /^(?:un|(?:un)?safe|Unsafe|Safe|Controversial|Yes|No)$/.test(word))
  const body = words.map((text, index) => ({ text, logprob: index === verdict ? sure : -0.0001, special: false }))
  const end = version === 1 ? '</s>' : version === 4 ? '<|eot|>' : '<|eot_id|>'
  return [...body, { text: end, logprob: -0.0001, special: true }]
}

/** JSON text of the answer. TGI echoes the prompt unless it is told not to, and the prompt holds both verdicts. */
export function answerOfTgi(body: Body | undefined, prompt: string, asked: Asked | undefined, answer: Answer): string {
  const given = (body?.['parameters'] ?? {}) as Record<string, unknown>
  const made = tokensOf(answer, asked?.version)
  const details = {
    finish_reason: answer.finishReason ?? 'eos_token',
    generated_tokens: made.length,
    seed: null,
    prefill: [],
    tokens: made.map((token, id) => ({ id, ...token })),
  }
  return JSON.stringify([
    {
      generated_text: given['return_full_text'] === false ? answer.text : prompt + answer.text,
      ...(given['details'] === true && { details }),
    },
  ])
}
