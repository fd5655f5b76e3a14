// Llama-2 chat: the prompt, byte for byte like `format_chat_messages` of the SageMaker JumpStart article, and OpenAI's
// generation parameters for a TGI or LMI container. A conversation that does not fit the format, and a parameter that
// the container cannot honour, are refused and never changed to fit.
import { LlamaGuardError } from '../../types/errors.js'

/**
 * Renders OpenAI chat messages as a Llama-2 prompt. A system message may come first. User and assistant alternate,
 * and the user is last.
 *
 * The prompt begins with a literal `<s>`, as in the article. A TGI or LMI container adds a begin-of-text token of its
 * own to raw `inputs`, so the model sees two. JumpStart's example payloads do the same, and the article's outputs
 * were made so. Therefore it is the default.
 *
 * @see https://aws.amazon.com/blogs/machine-learning/llama-guard-is-now-available-in-amazon-sagemaker-jumpstart/
 */
export function llama2Prompt(messages: unknown, leadingBos = true): string {
  const said = readMessages(messages)
  if (said[0]?.role === 'system') {
    const [system, first, ...rest] = said
    if (!first) throw unreadable('there is a system message (messages[0]) and nothing after it')
    said.splice(0, said.length, { ...first, text: `<<SYS>>\n${system?.text}\n<</SYS>>\n\n${first.text}` }, ...rest)
  }
  said.forEach(({ role, index }, turn) => {
    const wanted = turn % 2 === 0 ? 'user' : 'assistant'
    if (role === wanted) return
    throw unreadable(
      role === 'system'
        ? `messages[${index}] is a system message, which can only be the first`
        : `messages[${index}] has the role ${role} where ${wanted} was expected`,
    )
  })
  const last = said.at(-1)
  if (last?.role !== 'user')
    throw unreadable(
      last
        ? `messages[${last.index}], the last, has the role ${last.role} where user was expected`
        : 'messages is empty',
    )
  const prompt = said
    .map(({ role, text }) => (role === 'user' ? `<s>[INST] ${strip(text)} [/INST] ` : `${strip(text)}</s>`))
    .join('')
  return leadingBos ? prompt : prompt.slice('<s>'.length)
}

interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly text: string
  readonly index: number
}

function readMessages(messages: unknown): Message[] {
  if (!Array.isArray(messages)) throw unreadable('messages is not an array')
  return messages.map((message: unknown, index) => {
    const {
      role,
      content,
      tool_calls: toolCalls,
    } = typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : {}
    const known = role === 'developer' ? 'system' : role
    if (known !== 'system' && known !== 'user' && known !== 'assistant') {
      throw unreadable(
        `messages[${index}] has ` +
          (typeof role === 'string' && /^\w{1,20}$/.test(role) ? `the role ${role}` : 'no readable role'),
      )
    }
    if (Array.isArray(toolCalls) && toolCalls.length > 0)
      throw unsupported(`messages[${index}] (${known}) holds tool calls, which Llama-2 chat does not know`)
    return { role: known, text: withoutTags(readText(content, index, known), index, known), index }
  })
}

function readText(content: unknown, index: number, role: string): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw unreadable(`messages[${index}] (${role}) has no text content`)
  return content
    .map((part: unknown) => {
      if (
        typeof part === 'object' &&
        part !== null &&
        'type' in part &&
        part.type === 'text' &&
        'text' in part &&
        typeof part.text === 'string'
      )
        return part.text
      throw unsupported(`messages[${index}] (${role}) holds a part that is not text, and Llama-2 chat reads text only`)
    })
    .join('')
}

/**
 * Meta's chat code refuses these four tags in any message, because a user could write the system prompt with them.
 * @see https://github.com/meta-llama/llama (generation.py, SPECIAL_TAGS)
 */
const INSTRUCTION_TAGS = /\[\/?INST\]|<<\/?SYS>>/

// `<s>` and `</s>` are control tokens for the tokenizer, and also HTML's strike-through. They stay readable but lose
// their effect.
function withoutTags(text: string, index: number, role: string): string {
  if (INSTRUCTION_TAGS.test(text))
    throw unsupported(
      `messages[${index}] (${role}) contains a Llama-2 instruction tag ([INST], [/INST], <<SYS>> or ` +
        '<</SYS>>); take it out',
    )
  return text.replace(/<(\/?)s>/g, '< $1s>')
}

// The characters that Python's str.strip() removes. JavaScript's trim() would also remove a BOM and keep the C0
// separators.
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const LEADING = new RegExp(`^${SPACE}+`)
const TRAILING = new RegExp(`${SPACE}$`)

function strip(text: string): string {
  let end = text.length
  // A loop, because the pattern `SPACE+$` takes quadratic time on a long run of spaces in the middle of a text.
  while (end > 0 && TRAILING.test(text.charAt(end - 1))) end -= 1
  return text.slice(0, end).replace(LEADING, '')
}

function unreadable(what: string): LlamaGuardError {
  return new LlamaGuardError(
    'unreadable_request',
    `Not a Llama-2 conversation: ${what}. Send an optional system message, then user and assistant in ` +
      'turn, ending with user.',
  )
}

function unsupported(what: string): LlamaGuardError {
  return new LlamaGuardError('unsupported_content', `${what}.`)
}

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
    throw refused('n', 'this endpoint answers with one choice; send n: 1, or several requests')
  for (const name of ['tools', 'functions']) {
    const value = body[name]
    if (Array.isArray(value) && value.length > 0) throw refused(name, 'Llama-2 chat knows no tools')
  }
  if (body['logprobs'] === true) throw refused('logprobs', 'not available in this format')
  const format = body['response_format']
  if (typeof format === 'object' && format !== null && 'type' in format && format.type !== 'text')
    throw refused('response_format', 'Llama-2 chat answers in plain text')
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

const refused = (name: string, why: string): LlamaGuardError => unsupported(`${name} is not supported here: ${why}`)
