// Reads what the servers of guard models answer: a completion, or the labels of a classifier. An unknown shape is an
// error, because a guessed field would be a guessed verdict.
import { guardError, type LlamaGuardError } from '../../types/errors.js'
import { countOf, type GenerationReply, isSpecial, readGenerationReply } from '../../utils/generation-reply.js'
import { isObject } from '../../utils/json.js'
import type { AbortSignalLike } from '../../utils/deadline.js'
import { containerError } from './failure.js'

export interface TokenLogprob {
  readonly text: string
  /** Natural logarithm of the token's probability. */
  readonly logprob: number
}

/** So many alternatives hold both deciding words. vLLM gives no more. */
export const ALTERNATIVES = 5

/** A generated token and, where the server sends them, the alternatives at its position. */
export interface GeneratedToken extends TokenLogprob {
  readonly top?: readonly TokenLogprob[]
}

/** One generated text. */
export interface Completion {
  /** The generated text alone, without the prompt. */
  readonly text: string
  /**
   * The server's own word for why generation ended: `eos_token`, `stop`, `length`, ... Undefined when the server does
   * not say.
   */
  readonly finishReason?: string
  /** The tokens in order, without special tokens. */
  readonly tokens?: readonly GeneratedToken[]
  readonly usage?: { readonly input?: number; readonly output?: number }
}

/** Sends one rendered prompt to a model. Rejects with a {@link LlamaGuardError} when there is no complete answer. */
export type Complete = (prompt: string, options: { signal?: AbortSignalLike; logprobs: boolean }) => Promise<Completion>

/** What a backend tells of its server. */
export interface Server {
  /** The name of the server and the model in a cache key. A guard adds its policy. */
  readonly identity: string
  /** Rejects when no call can succeed, for example without credentials, and costs none. */
  check?(): Promise<void>
  /** Closes the sockets, or frees the model's memory. */
  close(): void | Promise<void>
}

/** Sends prompts to one server. */
export type Completer = Complete & Server

/** Asks a server for the labels of one text. Rejects with a {@link LlamaGuardError}. */
export type Classify = (
  text: string,
  options: { readonly signal?: AbortSignalLike | undefined },
) => Promise<readonly LabelScore[]>

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads Text Generation Inference (an array of one answer), djl-serving/LMI (an object), and OpenAI chat and text
 * completions.
 * @throws LlamaGuardError `guard_error` for any other shape, and for more or fewer answers than one.
 */
export function readCompletion(body: unknown): Completion {
  const reply = readGenerationReply(Array.isArray(body) && body.length === 1 ? body[0] : body)
  // The error is read first, because a failed answer may carry a text as well.
  if (reply?.error !== undefined) throw containerError(Number(reply.code ?? 500), JSON.stringify(reply.error))
  if (typeof reply?.text !== 'string' || (reply.choices ?? 1) !== 1) throw unknownShape()
  return reply.choice
    ? readChoice(reply.text, reply, reply.choice)
    : { text: reply.text, ...finish(reply.finishReason), ...readDetails(reply.details) }
}

function readDetails(details: Fields | undefined): Pick<Completion, 'tokens' | 'usage'> {
  if (details === undefined) return {}
  const output = countOf(details['generated_tokens'])
  const given: unknown = details['tokens']
  const tokens = Array.isArray(given)
    ? list(
        given.filter((token: unknown) => !(isObject(token) && isSpecial(token))),
        readToken,
      )
    : undefined
  return { ...(tokens && { tokens }), ...(output !== undefined && { usage: { output } }) }
}

/** Alternatives are never asked for in this form: current LMI takes the parameter for the number of answers. */
function readToken(token: unknown): GeneratedToken | undefined {
  if (!isObject(token)) return undefined
  // djl-serving 0.29 spells the field `log_prob`; all other servers spell it `logprob`.
  const logprob = token['logprob'] ?? token['log_prob']
  if (typeof token['text'] !== 'string' || typeof logprob !== 'number') return undefined
  return { text: token['text'], logprob }
}

function readChoice(text: string, { finishReason, usage: used }: GenerationReply, choice: Fields): Completion {
  const usage = used && { input: countOf(used['prompt_tokens']), output: countOf(used['completion_tokens']) }
  const tokens = isObject(choice['logprobs']) ? readLogprobs(choice['logprobs']) : undefined
  return { text, ...finish(finishReason), ...(tokens && { tokens }), ...(usage && { usage }) }
}

/** The columns of text completions. A chat completion is never asked for its log probabilities. */
function readLogprobs(logprobs: Fields): Completion['tokens'] {
  const texts: unknown = logprobs['tokens']
  if (!Array.isArray(texts)) return undefined
  const values: readonly unknown[] = Array.isArray(logprobs['token_logprobs']) ? logprobs['token_logprobs'] : []
  const tops: readonly unknown[] = Array.isArray(logprobs['top_logprobs']) ? logprobs['top_logprobs'] : []
  return list(texts, (text: unknown, index): GeneratedToken | undefined => {
    const logprob = values[index]
    if (typeof text !== 'string' || typeof logprob !== 'number') return undefined
    const others = tops[index]
    const top = isObject(others) ? list(Object.entries(others), readTop) : undefined
    return { text, logprob, ...(top && { top }) }
  })
}

function readTop([text, logprob]: readonly [string, unknown]): TokenLogprob | undefined {
  return typeof logprob === 'number' ? { text, logprob } : undefined
}

/**
 * Reads all values, or returns undefined. A list with one value missing would shift the tokens, and the score with
 * them.
 */
function list<V, T>(values: readonly V[], read: (value: V, index: number) => T | undefined): T[] | undefined {
  const made = values.map((value, index) => read(value, index)).filter((value) => value !== undefined)
  return made.length === values.length ? made : undefined
}

/** Current LMI sends vLLM's stop_reason: null at the end of the sequence, or the id of the token that stopped it. */
function finish(reason: unknown): Pick<Completion, 'finishReason'> {
  if (reason === null || reason === undefined) return {}
  return { finishReason: typeof reason === 'number' ? 'stop' : typeof reason === 'string' ? reason : 'unreadable' }
}

/** The error says nothing of the values, because they may echo the prompt. */
function unknownShape(): LlamaGuardError {
  return guardError(
    'The guard endpoint answered nothing that is one answer in the shape of TGI, LMI or OpenAI. Check that a guard ' +
      'model runs behind it.',
  )
}

export interface LabelScore {
  readonly label: string
  /** Probability, 0 to 1. */
  readonly score: number
}

/** No classifier of prompt attacks has more labels. */
const MOST_LABELS = 16

/**
 * The labels of one text. The pipeline sends `[{label, score}]` with the likeliest label, or all labels with `top_k:
 * null`. A container that takes lists of texts puts that list into another list.
 * @throws LlamaGuardError `guard_error` for any other shape, and the container's own error.
 */
export function readClassification(body: unknown): readonly LabelScore[] {
  if (isObject(body) && body['error'] !== undefined && body['error'] !== null)
    throw containerError(Number(body['code'] ?? 500), JSON.stringify(body['error']))
  const labels: unknown = Array.isArray(body) && body.length === 1 && Array.isArray(body[0]) ? body[0] : body
  if (!Array.isArray(labels) || labels.length === 0 || labels.length > MOST_LABELS) throw unknownLabels()
  const read = labels.map((entry: unknown): LabelScore => {
    const { label, score } = isObject(entry) ? entry : {}
    // Some servers round a probability to slightly more than one.
    if (typeof label !== 'string' || typeof score !== 'number' || !(score >= 0 && score <= 1.001)) throw unknownLabels()
    return { label, score: Math.min(1, score) }
  })
  if (new Set(read.map(({ label }) => label)).size !== read.length) throw unknownLabels()
  return read
}

function unknownLabels(): LlamaGuardError {
  return guardError(
    'The guard endpoint answered no list of labels with scores. Check that Llama Prompt Guard runs behind it, in a ' +
      'container for text classification.',
  )
}
