// A container of text-generation-inference 2.0: the shape of its answers.
import type { Answer, Asked } from './model.js'

export type Body = Readonly<Record<string, unknown>>

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
