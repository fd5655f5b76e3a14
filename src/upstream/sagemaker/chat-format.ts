// Translates between Chat Completions and a chat container: raw Llama-2 prompts, or Chat Completions unchanged.
import { LlamaGuardError } from '../../errors.js'
import { ChatCompletion, DONE, sse } from './chat-completion.js'
import { readReply, readToken } from './container-reply.js'
import type { Piece } from './container-reply.js'
import { generationParameters } from './generation-parameters.js'
import { llama2Prompt } from './llama-2-prompt.js'
import { StopText } from './stop-text.js'

/** The two formats in which a chat container on SageMaker takes requests. */
export type ChatFormat = 'llama-2' | 'messages'

type Body = Readonly<Record<string, unknown>>

/** Translates one request and its answer. */
export interface ChatTranslator {
  readonly payload: object
  /** Chat Completions JSON from the container's complete answer. */
  whole(text: string): string
  /** SSE text from the JSON events of the container's stream. */
  events(stream: AsyncIterable<string>): AsyncIterable<string>
}

export function chatFormat(format: ChatFormat, endpoint: string, leadingBos: boolean): (body: Body) => ChatTranslator {
  switch (format) {
    case 'llama-2':
      return (body) => llama2(body, endpoint, leadingBos)
    case 'messages':
      return messages
    default:
      throw new LlamaGuardError(
        'invalid_option',
        `The chat format is ${JSON.stringify(format satisfies never)}; use llama-2 or messages.`,
      )
  }
}

function llama2(body: Body, endpoint: string, leadingBos: boolean): ChatTranslator {
  const { parameters, stop } = generationParameters(body)
  const streaming = body['stream'] === true
  const completion = new ChatCompletion(typeof body['model'] === 'string' ? body['model'] : endpoint)
  const wantsUsage = (body['stream_options'] as { include_usage?: unknown } | null | undefined)?.include_usage === true
  return {
    payload: { inputs: llama2Prompt(body['messages'], leadingBos), parameters, ...(streaming && { stream: true }) },
    whole(text) {
      const { text: said, ...rest } = readReply(parse(text))
      const trimmed = new StopText(stop)
      return completion.whole({ text: trimmed.push(said) + trimmed.end(), ...rest })
    },
    async *events(stream) {
      const held = new StopText(stop)
      let usage: Piece['usage']
      let finish: Piece['finish']
      yield completion.first()
      for await (const json of stream) {
        const piece = readToken(parse(json))
        usage = piece.usage ?? usage
        finish = piece.finish ?? finish
        const text = held.push(piece.text)
        if (text !== '') yield completion.text(text)
      }
      if (finish === undefined)
        throw new LlamaGuardError('upstream_unavailable', 'The chat container ended its stream without saying why.')
      const rest = held.end()
      if (rest !== '') yield completion.text(rest)
      yield completion.last(finish, wantsUsage ? (usage ?? {}) : undefined)
    },
  }
}

// Chat Completions in both directions. Only the framing is unified: LMI ends JSON lines with a newline, and TGI and
// vLLM send SSE.
function messages(body: Body): ChatTranslator {
  return {
    payload: body,
    whole: (text) => text,
    async *events(stream) {
      let ended = false
      for await (const json of stream) {
        const event = parse(json) as { error?: unknown; choices?: readonly { finish_reason?: unknown }[] }
        if (event.error !== undefined && event.error !== null)
          throw new LlamaGuardError(
            'upstream_unavailable',
            'The chat container failed in the middle of its reply; see its CloudWatch log.',
          )
        ended ||= event.choices?.some((choice) => typeof choice.finish_reason === 'string') ?? false
        yield sse(json)
      }
      if (!ended)
        throw new LlamaGuardError('upstream_unavailable', 'The chat container ended its stream without saying why.')
      yield DONE
    },
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's error quotes chat content, so it is not kept as the cause.
    throw new LlamaGuardError('upstream_unavailable', 'The chat container answered with something that is not JSON.')
  }
}
