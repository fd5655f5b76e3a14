// The serving containers, and the shape that each wraps an answer in: text-generation-inference 2.0, djl-serving 0.29
// and later, and containers with OpenAI's API.
import { type Container, tokens } from './container-requests.js'
import type { Answer, Asked } from './model.js'

export type { Container } from './container-requests.js'

interface Token {
  readonly text: string
  readonly logprob: number
  readonly special: boolean
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
