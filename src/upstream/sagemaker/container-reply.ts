// Reads the reply of a chat container, whole or token by token. TGI, LMI (old and new) and vLLM use different field
// names. An unknown shape is an error and not an empty answer.
import { LlamaGuardError } from '../../errors.js'
import { countOf, type GenerationReply, readGenerationReply } from '../../utils/generation-reply.js'

/** Token counts, where the container sends them. */
export interface Usage {
  readonly prompt_tokens?: number
  readonly completion_tokens?: number
  readonly total_tokens?: number
}

/** New text. The last piece also says why generation ended. */
export interface Piece {
  readonly text: string
  readonly finish?: 'stop' | 'length' | 'content_filter'
  readonly usage?: Usage
}

/** Reads a complete answer: `[{generated_text}]` (TGI), `{generated_text}` (LMI), `{choices: [{text}]}` (vLLM). */
export function readReply(body: unknown): Piece {
  const reply = read(body)
  if (typeof reply.text !== 'string') throw unreadable()
  return { text: reply.text, finish: finishOf(reply) ?? 'stop', usage: usageOf(reply) }
}

/** Reads one line of a stream. */
export function readToken(body: unknown): Piece {
  const reply = read(body)
  const usage = usageOf(reply)
  if (reply.choice) return { text: typeof reply.text === 'string' ? reply.text : '', finish: finishOf(reply), usage }
  if (reply.usage !== undefined) return { text: '', usage }
  if (reply.token === undefined) throw unreadable()
  const ended = reply.details !== undefined || typeof reply.text === 'string'
  return {
    text: reply.token.special ? '' : reply.token.text,
    finish: ended ? (finishOf(reply) ?? 'stop') : undefined,
    usage,
  }
}

function read(body: unknown): GenerationReply {
  const reply = readGenerationReply(Array.isArray(body) ? body[0] : body)
  if (reply === undefined) throw unreadable()
  if (reply.error !== undefined)
    throw new LlamaGuardError(
      'upstream_unavailable',
      'The chat container answered with an error; see its CloudWatch log.',
    )
  return reply
}

function finishOf({ finishReason: reason }: GenerationReply): Piece['finish'] {
  switch (reason) {
    case undefined:
    case null:
    case '':
      return undefined
    case 'length':
    case 'content_filter':
      return reason
    case 'error':
      // LMI reports a failure inside a stream with status 200 and this word only.
      throw new LlamaGuardError('upstream_unavailable', 'The chat container failed while it generated.')
    default:
      return 'stop'
  }
}

function usageOf({ usage, details }: GenerationReply): Usage | undefined {
  const prompt =
    countOf(usage?.['prompt_tokens']) ?? countOf(details?.['input_length']) ?? countOf(details?.['prompt_tokens'])
  const completion = countOf(usage?.['completion_tokens']) ?? countOf(details?.['generated_tokens'])
  if (prompt === undefined && completion === undefined) return undefined
  return {
    ...(prompt !== undefined && { prompt_tokens: prompt }),
    ...(completion !== undefined && { completion_tokens: completion }),
    ...(prompt !== undefined && completion !== undefined && { total_tokens: prompt + completion }),
  }
}

function unreadable(): LlamaGuardError {
  return new LlamaGuardError(
    'upstream_unavailable',
    'The chat container answered in a form that is neither TGI, LMI nor vLLM; check the endpoint and ' +
      'the format option.',
  )
}
