// Translates OpenAI's generation parameters for a TGI or LMI container. A parameter that the container cannot honour
// is refused, because dropping it would change the answer unnoticed.
import { LlamaGuardError } from '../../errors.js'

type Body = Readonly<Record<string, unknown>>
type Kind = 'count' | 'number' | 'boolean' | 'integer'

/** Parameters of the containers, passed on under the same names. */
const PASSED: Readonly<Record<string, Kind>> = {
  max_new_tokens: 'count',
  max_length: 'count',
  num_beams: 'count',
  num_return_sequences: 'count',
  no_repeat_ngram_size: 'count',
  early_stopping: 'boolean',
  do_sample: 'boolean',
  top_k: 'count',
  return_full_text: 'boolean',
  repetition_penalty: 'number',
  typical_p: 'number',
  watermark: 'boolean',
  seed: 'integer',
  frequency_penalty: 'number',
  presence_penalty: 'number',
}

/** These only change how tokens are sampled. TGI starts to sample when it finds one, even with `do_sample: false`. */
const SAMPLING = ['top_k', 'typical_p']

export interface Generation {
  readonly parameters: Readonly<Record<string, unknown>>
  readonly stop: readonly string[]
}

/**
 * @throws LlamaGuardError `unreadable_request` for a value of the wrong type, `unsupported_content` for a feature
 * that a single-prompt container lacks.
 */
export function generationParameters(body: Body): Generation {
  refuse(body)
  // Always sent: without `return_full_text: false` TGI repeats the prompt with its system text, and `details` carries
  // the token counts.
  const parameters: Record<string, unknown> = { return_full_text: false, details: true }
  for (const [name, kind] of Object.entries(PASSED)) {
    const value = body[name] ?? undefined
    if (value !== undefined) parameters[name] = checked(name, value, kind)
  }
  const limit = body['max_completion_tokens'] ?? body['max_tokens'] ?? undefined
  if (limit !== undefined) parameters['max_new_tokens'] = checked('max_tokens', limit, 'count')
  sampling(body, parameters)
  const stop = stopSequences(body['stop'] ?? undefined)
  if (stop.length > 0) parameters['stop'] = stop
  return { parameters, stop }
}

function sampling(body: Body, parameters: Record<string, unknown>): void {
  const temperature = body['temperature'] ?? undefined
  const topP = body['top_p'] ?? undefined
  if (temperature !== undefined && (checked('temperature', temperature, 'number') as number) < 0)
    throw wrong('temperature', 'a number from 0')
  if (topP !== undefined && !((checked('top_p', topP, 'number') as number) > 0 && (topP as number) <= 1))
    throw wrong('top_p', 'a number above 0, up to 1')
  if (temperature === 0 || (temperature === undefined && parameters['do_sample'] === false)) {
    // TGI answers 422 to a temperature of 0, so greedy decoding is requested with `do_sample`.
    parameters['do_sample'] = false
    for (const name of SAMPLING) Reflect.deleteProperty(parameters, name)
    return
  }
  if (temperature !== undefined) parameters['temperature'] = temperature
  // A top_p of 1 allows all tokens, and TGI answers 422 to it.
  if (topP !== undefined && topP !== 1) parameters['top_p'] = topP
  if (temperature !== undefined || parameters['top_p'] !== undefined) parameters['do_sample'] ??= true
}

function refuse(body: Body): void {
  if ((body['n'] ?? 1) !== 1)
    throw unsupported('n', 'this endpoint answers with one choice; send n: 1, or several requests')
  for (const name of ['tools', 'functions']) {
    const value = body[name]
    if (Array.isArray(value) && value.length > 0) throw unsupported(name, 'Llama-2 chat knows no tools')
  }
  if (body['logprobs'] === true) throw unsupported('logprobs', 'not available in this format')
  const format = body['response_format']
  if (typeof format === 'object' && format !== null && 'type' in format && format.type !== 'text')
    throw unsupported('response_format', 'Llama-2 chat answers in plain text')
}

function stopSequences(stop: unknown): string[] {
  const list = stop === undefined ? [] : [stop].flat()
  if (!list.every((item): item is string => typeof item === 'string' && item !== ''))
    throw wrong('stop', 'a string or a list of strings')
  return list
}

function checked(name: string, value: unknown, kind: Kind): unknown {
  const good =
    kind === 'boolean'
      ? typeof value === 'boolean'
      : kind === 'number'
        ? typeof value === 'number'
        : kind === 'integer'
          ? Number.isInteger(value)
          : Number.isInteger(value) && (value as number) > 0
  if (!good)
    throw wrong(
      name,
      { boolean: 'true or false', number: 'a number', integer: 'an integer', count: 'a positive integer' }[kind],
    )
  return value
}

function wrong(name: string, wanted: string): LlamaGuardError {
  return new LlamaGuardError('unreadable_request', `${name} must be ${wanted}.`)
}

function unsupported(name: string, why: string): LlamaGuardError {
  return new LlamaGuardError('unsupported_content', `${name} is not supported here: ${why}.`)
}
