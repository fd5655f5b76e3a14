// What a chat container says, whole or token by token, in one shape. TGI, LMI (old and new) and vLLM differ
// in every field name; what none of them would say is an error, not an empty answer.
import { LlamaGuardError } from '../../errors.js'

/** Token counts, as far as the container gives them. */
export interface Usage {
  readonly prompt_tokens?: number
  readonly completion_tokens?: number
  readonly total_tokens?: number
}

/** New text, and on the last piece why generation ended. */
export interface Piece {
  readonly text: string
  readonly finish?: 'stop' | 'length' | 'content_filter'
  readonly usage?: Usage
}

type Json = Readonly<Record<string, unknown>>

/** One whole answer: `[{generated_text}]` (TGI), `{generated_text}` (LMI), `{choices: [{text}]}` (vLLM). */
export function readReply(body: unknown): Piece {
  const reply = object(Array.isArray(body) ? body[0] : body)
  failIfError(reply)
  const choice = firstChoice(reply)
  const text = choice?.['text'] ?? reply?.['generated_text']
  if (typeof text !== 'string') throw unreadable()
  return { text, finish: finishReason(choice ?? object(reply?.['details'])) ?? 'stop', usage: usageOf(reply) }
}

/** One line of a stream. */
export function readToken(body: unknown): Piece {
  const event = object(Array.isArray(body) ? body[0] : body)
  failIfError(event)
  const choice = firstChoice(event)
  if (choice)
    return {
      text: typeof choice['text'] === 'string' ? choice['text'] : '',
      finish: finishReason(choice),
      usage: usageOf(event),
    }
  if (event?.['usage'] !== undefined) return { text: '', usage: usageOf(event) }
  const token = object(event?.['token'])
  const details = object(event?.['details'])
  if (!token || typeof token['text'] !== 'string') throw unreadable()
  // A special token (`</s>`) is the end, not text; LMI calls the mark `special_token`.
  const special = token['special'] === true || token['special_token'] === true
  const ended = details !== undefined || typeof event?.['generated_text'] === 'string'
  return {
    text: special ? '' : token['text'],
    finish: ended ? (finishReason(details) ?? 'stop') : undefined,
    usage: usageOf(event),
  }
}

function finishReason(said: Json | undefined): Piece['finish'] {
  const reason = said?.['finish_reason']
  switch (reason) {
    case undefined:
    case null:
    case '':
      return undefined
    case 'length':
    case 'content_filter':
      return reason
    case 'error':
      // LMI reports a failure in the middle of a stream with status 200 and this word alone.
      throw new LlamaGuardError('upstream_unavailable', 'The chat container failed while it generated.')
    default:
      return 'stop'
  }
}

function usageOf(reply: Json | undefined): Usage | undefined {
  const given = object(reply?.['usage'])
  const details = object(reply?.['details'])
  const prompt =
    count(given?.['prompt_tokens']) ?? count(details?.['input_length']) ?? count(details?.['prompt_tokens'])
  const completion = count(given?.['completion_tokens']) ?? count(details?.['generated_tokens'])
  if (prompt === undefined && completion === undefined) return undefined
  return {
    ...(prompt !== undefined && { prompt_tokens: prompt }),
    ...(completion !== undefined && { completion_tokens: completion }),
    ...(prompt !== undefined && completion !== undefined && { total_tokens: prompt + completion }),
  }
}

function failIfError(reply: Json | undefined): void {
  if (reply === undefined) throw unreadable()
  if (reply['error'] !== undefined && reply['error'] !== null)
    throw new LlamaGuardError(
      'upstream_unavailable',
      'The chat container answered with an error; see its CloudWatch log.',
    )
}

function firstChoice(reply: Json | undefined): Json | undefined {
  return object(Array.isArray(reply?.['choices']) ? reply['choices'][0] : undefined)
}

function object(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
}

function count(value: unknown): number | undefined {
  return Number.isInteger(value) ? (value as number) : undefined
}

function unreadable(): LlamaGuardError {
  return new LlamaGuardError(
    'upstream_unavailable',
    'The chat container answered in a form that is neither TGI, LMI nor vLLM; check the endpoint and ' +
      'the format option.',
  )
}
