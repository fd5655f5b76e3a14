// Reads the reply of a chat container: whole, or token by token from the lines of a response stream. TGI, LMI (old and
// new) and vLLM use different field names. An unknown shape is an error and not an empty answer.
import type { ResponseStream } from '@aws-sdk/client-sagemaker-runtime'
import { type LlamaGuardError, upstreamUnavailable } from '../../types/errors.js'
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
    throw upstreamUnavailable('The chat container answered with an error; see its CloudWatch log.')
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
      throw upstreamUnavailable('The chat container failed while it generated.')
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
  return upstreamUnavailable(
    'The chat container answered in a form that is neither TGI, LMI nor vLLM; check the endpoint and ' +
      'the format option.',
  )
}

/** Far longer than the line of any token. A container that never ends a line must not fill the memory. */
const MAX_LINE_CHARS = 1_048_576

/**
 * The JSON text of each event: the `data:` lines of TGI and vLLM, the bare JSON lines of LMI. Empty lines, comments
 * and `[DONE]` carry none.
 */
export async function* eventJson(stream: AsyncIterable<ResponseStream>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const event of stream) {
    rest += decoder.decode(event.PayloadPart?.Bytes, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE_CHARS) throw broken('the container sent a line without end')
    for (const line of lines) yield* payload(line)
  }
  yield* payload(rest + decoder.decode())
}

function* payload(line: string): Generator<string> {
  const text = line.trim()
  const data = text.startsWith('data:') ? text.slice('data:'.length).trim() : text
  if (data.startsWith('{') || data.startsWith('[{')) yield data
  else if (data !== '' && data !== '[DONE]' && !/^(:|event:|id:|retry:)/.test(data))
    throw broken('the container sent a line that is no JSON')
}

function broken(what: string): LlamaGuardError {
  return upstreamUnavailable(`The chat endpoint's stream failed: ${what}.`)
}
