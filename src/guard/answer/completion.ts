// What a Llama Guard model wrote, whatever server it runs on, and how the servers' JSON is read into that.
// A shape that is not wholly known is an error here: a guessed field would be a guessed verdict.
import { LlamaGuardError } from '../../errors.js'
import type { Prompt } from '../prompt/prompt.js'
import { containerError } from './container-error.js'
import type { AbortSignalLike } from '../../utils/lazy-abort-controller.js'

export interface TokenLogprob {
  readonly text: string
  /** Natural logarithm of the token's probability. */
  readonly logprob: number
}

/** A generated token and, where the server tells, what else could have stood there. */
export interface GeneratedToken extends TokenLogprob {
  readonly top?: readonly TokenLogprob[]
}

/** One generated text. */
export interface Completion {
  /** The generated text alone, without the prompt. */
  readonly text: string
  /** The server's own word for why generation ended: `eos_token`, `stop`, `length`, ... Undefined: it did not say. */
  readonly finishReason?: string
  /** In order, special ones left out. */
  readonly tokens?: readonly GeneratedToken[]
  readonly usage?: { readonly input?: number; readonly output?: number }
}

/** Sends one rendered prompt to a model. Rejects with a {@link LlamaGuardError} when there is no whole answer. */
export type Complete = (
  prompt: Prompt | string,
  options: { signal?: AbortSignalLike; logprobs: boolean },
) => Promise<Completion>

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads Text Generation Inference (an array of one), djl-serving/LMI (an object), and OpenAI chat and text completions.
 * Throws `guard_error` for any other shape, and for more or fewer answers than one.
 */
export function readCompletion(body: unknown): Completion {
  const answer: unknown = Array.isArray(body) && body.length === 1 ? body[0] : body
  if (!isFields(answer)) throw unknownShape(body)
  // First, because a failed answer may carry a text as well.
  if (answer['error'] !== undefined && answer['error'] !== null)
    throw containerError(Number(answer['code'] ?? 500), JSON.stringify(answer['error']))
  if (typeof answer['generated_text'] === 'string') return readGenerated(answer['generated_text'], answer['details'])
  const choices = answer['choices']
  const choice: unknown = Array.isArray(choices) && choices.length === 1 ? choices[0] : undefined
  if (!isFields(choice)) throw unknownShape(body)
  return readChoice(choice, answer['usage'])
}

function readGenerated(text: string, details: unknown): Completion {
  if (!isFields(details)) return { text }
  const output = count(details['generated_tokens'])
  const tops = Array.isArray(details['top_tokens']) ? details['top_tokens'] : []
  const tokens = list(details['tokens'], (token, index) => readToken(token, tops[index]))
  return {
    text,
    ...finish(details['finish_reason']),
    ...(tokens && { tokens: tokens.filter((token) => !token.special).map(({ special: _, ...token }) => token) }),
    ...(output !== undefined && { usage: { output } }),
  }
}

function readToken(token: unknown, top: unknown): (GeneratedToken & { readonly special: boolean }) | undefined {
  if (!isFields(token)) return undefined
  // djl-serving 0.29 spells it `log_prob`, everyone else `logprob`.
  const logprob = token['logprob'] ?? token['log_prob']
  if (typeof token['text'] !== 'string' || typeof logprob !== 'number') return undefined
  const others = list(top, (other) => readToken(other, undefined))
  return {
    text: token['text'],
    logprob,
    special: token['special'] === true || token['special_token'] === true,
    ...(others && { top: others }),
  }
}

function readChoice(choice: Fields, used: unknown): Completion {
  const message = choice['message']
  const text = isFields(message) ? (message['content'] ?? '') : choice['text']
  if (typeof text !== 'string') throw unknownShape(choice)
  const usage = isFields(used)
    ? { input: count(used['prompt_tokens']), output: count(used['completion_tokens']) }
    : undefined
  const tokens = isFields(choice['logprobs']) ? readLogprobs(choice['logprobs']) : undefined
  return { text, ...finish(choice['finish_reason']), ...(tokens && { tokens }), ...(usage && { usage }) }
}

function readLogprobs(logprobs: Fields): Completion['tokens'] {
  const chat = list(logprobs['content'], (token): GeneratedToken | undefined => {
    const read = readChatToken(token)
    const top = isFields(token) ? list(token['top_logprobs'], readChatToken) : undefined
    return read && { ...read, ...(top && { top }) }
  })
  if (chat) return chat
  const values: readonly unknown[] = Array.isArray(logprobs['token_logprobs']) ? logprobs['token_logprobs'] : []
  const tops: readonly unknown[] = Array.isArray(logprobs['top_logprobs']) ? logprobs['top_logprobs'] : []
  return list(logprobs['tokens'], (text, index): GeneratedToken | undefined => {
    const logprob = values[index]
    if (typeof text !== 'string' || typeof logprob !== 'number') return undefined
    const others = tops[index]
    const top = isFields(others) ? list(Object.keys(others), (other) => readTop(other, others)) : undefined
    return { text, logprob, ...(top && { top }) }
  })
}

function readTop(text: unknown, others: Fields): TokenLogprob | undefined {
  const logprob = typeof text === 'string' ? others[text] : undefined
  return typeof text === 'string' && typeof logprob === 'number' ? { text, logprob } : undefined
}

function readChatToken(token: unknown): TokenLogprob | undefined {
  if (!isFields(token) || typeof token['token'] !== 'string' || typeof token['logprob'] !== 'number') return undefined
  return { text: token['token'], logprob: token['logprob'] }
}

/** All or nothing: a list with a hole would shift the tokens, and the score with them. */
function list<T>(values: unknown, read: (value: unknown, index: number) => T | undefined): T[] | undefined {
  if (!Array.isArray(values)) return undefined
  const made = values.map((value: unknown, index) => read(value, index)).filter((value) => value !== undefined)
  return made.length === values.length ? made : undefined
}

/** Current LMI gives vLLM's stop_reason: null at the end of the sequence, or the id of the token that stopped it. */
function finish(reason: unknown): Pick<Completion, 'finishReason'> {
  if (reason === null || reason === undefined) return {}
  return { finishReason: typeof reason === 'number' ? 'stop' : typeof reason === 'string' ? reason : 'unreadable' }
}

const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Says the shape only: the values may echo the prompt. */
function unknownShape(body: unknown): LlamaGuardError {
  const shape = Array.isArray(body)
    ? `an array of ${body.length}`
    : body === null
      ? 'null'
      : typeof body === 'object'
        ? 'an object without one answer'
        : `a ${typeof body}`
  return new LlamaGuardError(
    'guard_error',
    `The guard endpoint answered ${shape}; wanted one answer in the shape of TGI, LMI or OpenAI. ` +
      'Check that a Llama Guard model runs behind it.',
  )
}
