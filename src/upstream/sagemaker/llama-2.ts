// Llama-2 chat: the prompt, byte for byte like `format_chat_messages` of the SageMaker JumpStart article, and OpenAI's
// generation parameters for a TGI or LMI container. A conversation that does not fit the format, and a parameter that
// the container cannot honour, are refused and never changed to fit.
import { type LlamaGuardError, unreadableRequest, unsupportedContent } from '../../types/errors.js'
import { isObject } from '../../utils/json.js'

/**
 * Renders OpenAI chat messages as a Llama-2 prompt. A system message may come first. User and assistant alternate,
 * and the user is last.
 *
 * The prompt begins with a literal `<s>`, as in the article. A TGI or LMI container adds a begin-of-text token of its
 * own to raw `inputs`, so the model sees two. JumpStart's example payloads do the same, and the article's outputs
 * were made so.
 *
 * @see https://aws.amazon.com/blogs/machine-learning/llama-guard-is-now-available-in-amazon-sagemaker-jumpstart/
 */
export function llama2Prompt(messages: readonly unknown[]): string {
  const said = messages.map(readMessage)
  const [system, first] = said
  if (system?.role === 'system' && first !== undefined)
    said.splice(0, 2, { ...first, text: `<<SYS>>\n${system.text}\n<</SYS>>\n\n${first.text}` })
  for (const [turn, { role, index }] of said.entries()) {
    const wanted = turn % 2 === 0 ? 'user' : 'assistant'
    if (role !== wanted) throw unreadable(`the role of messages[${index}] should be ${wanted}`)
  }
  if (said.length % 2 === 0) throw unreadable("the last message should be the user's")
  return said
    .map(({ role, text }) => (role === 'user' ? `<s>[INST] ${text.trim()} [/INST] ` : `${text.trim()}</s>`))
    .join('')
}

interface Message {
  readonly role: unknown
  readonly text: string
  readonly index: number
}

function readMessage(message: unknown, index: number): Message {
  const { role, content, tool_calls: toolCalls } = isObject(message) ? message : {}
  if (Array.isArray(toolCalls) && toolCalls.length > 0)
    throw unsupported(`messages[${index}] holds tool calls, which Llama-2 chat does not know`)
  return { role: role === 'developer' ? 'system' : role, text: withoutTags(readText(content, index)), index }
}

function readText(content: unknown, index: number): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw unreadable(`messages[${index}] has no text content`)
  return content
    .map((part: unknown) => {
      if (isObject(part) && part['type'] === 'text' && typeof part['text'] === 'string') return part['text']
      throw unsupported(`messages[${index}] holds a part that is not text, and Llama-2 chat reads text only`)
    })
    .join('')
}

/**
 * The tags of the format, with which a user could write a turn or the system prompt. They stay readable but lose their
 * effect.
 * @see https://github.com/meta-llama/llama (generation.py, SPECIAL_TAGS)
 */
const withoutTags = (text: string): string => text.replace(/<(?=\/?s>)|\[(?=\/?INST\])|<(?=<\/?SYS>>)/g, '$& ')

function unreadable(what: string): LlamaGuardError {
  return unreadableRequest(
    `Not a Llama-2 conversation: ${what}. Send an optional system message, then user and assistant in ` +
      'turn, ending with user.',
  )
}

function unsupported(what: string): LlamaGuardError {
  return unsupportedContent(`${what}.`)
}

type Body = Readonly<Record<string, unknown>>
/** Parameters of the containers, passed on as they come. A container refuses values that it cannot take. */
const PASSED = (
  'max_new_tokens max_length num_beams num_return_sequences no_repeat_ngram_size early_stopping do_sample top_k ' +
  'return_full_text repetition_penalty typical_p watermark seed frequency_penalty presence_penalty'
).split(' ')

/** These only change how tokens are sampled. TGI starts to sample when it finds one, even with `do_sample: false`. */
const SAMPLING = ['top_k', 'typical_p']

export interface Generation {
  readonly parameters: Readonly<Record<string, unknown>>
  readonly stop: readonly string[]
}

/** @throws LlamaGuardError `unsupported_content` for a feature that a single-prompt container lacks. */
export function generationParameters(body: Body): Generation {
  refuse(body)
  // Always sent: without `return_full_text: false` TGI repeats the prompt with its system text, and `details` carries
  // the token counts.
  const parameters: Record<string, unknown> = { return_full_text: false, details: true }
  for (const name of PASSED) parameters[name] = body[name] ?? parameters[name]
  parameters['max_new_tokens'] = body['max_completion_tokens'] ?? body['max_tokens'] ?? parameters['max_new_tokens']
  sampling(body, parameters)
  const stop = [body['stop'] ?? []].flat()
  if (stop.length > 0) parameters['stop'] = stop
  return { parameters, stop: stop.filter((text): text is string => typeof text === 'string' && text !== '') }
}

function sampling(body: Body, parameters: Record<string, unknown>): void {
  const temperature = body['temperature'] ?? undefined
  const topP = body['top_p'] ?? undefined
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
  if (isObject(format) && 'type' in format && format['type'] !== 'text')
    throw refused('response_format', 'Llama-2 chat answers in plain text')
}

const refused = (name: string, why: string): LlamaGuardError => unsupported(`${name} is not supported here: ${why}`)
