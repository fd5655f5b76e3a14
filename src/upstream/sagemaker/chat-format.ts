// Translates between Chat Completions and a chat container: raw Llama-2 prompts, or Chat Completions unchanged.
import { randomUUID } from 'node:crypto'
import { upstreamUnavailable } from '../../types/errors.js'
import { parsedJson } from '../../utils/json.js'
import { type Piece, readReply, readToken, type Usage } from './container-reply.js'
import { generationParameters, llama2Prompt } from './llama-2.js'

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

export const chatFormat = (format: ChatFormat, endpoint: string): ((body: Body) => ChatTranslator) =>
  format === 'llama-2' ? (body) => llama2(body, endpoint) : messages

function llama2(body: Body, endpoint: string): ChatTranslator {
  const { parameters, stop } = generationParameters(body)
  const streaming = body['stream'] === true
  const completion = chatCompletion(typeof body['model'] === 'string' ? body['model'] : endpoint)
  const wantsUsage = (body['stream_options'] as { include_usage?: unknown } | null | undefined)?.include_usage === true
  return {
    payload: {
      inputs: llama2Prompt(body['messages'] as readonly unknown[]),
      parameters,
      ...(streaming && { stream: true }),
    },
    whole(text) {
      const { text: said, ...rest } = readReply(parse(text))
      const trimmed = new StopText(stop)
      return completion.whole({ text: trimmed.push(said) + trimmed.end(), ...rest })
    },
    async *events(stream) {
      const held = new StopText(stop)
      let usage: Piece['usage']
      let finish: Piece['finish']
      yield completion.delta({ role: 'assistant', content: '' })
      for await (const json of stream) {
        const piece = readToken(parse(json))
        usage = piece.usage ?? usage
        finish = piece.finish ?? finish
        const text = held.push(piece.text)
        if (text !== '') yield completion.delta({ content: text })
      }
      if (finish === undefined) throw upstreamUnavailable('The chat container ended its stream without saying why.')
      const rest = held.end()
      if (rest !== '') yield completion.delta({ content: rest })
      yield completion.delta({}, finish)
      if (wantsUsage) yield completion.usage(usage ?? {})
      yield DONE
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
          throw upstreamUnavailable('The chat container failed in the middle of its reply; see its CloudWatch log.')
        ended ||= event.choices?.some((choice) => typeof choice.finish_reason === 'string') ?? false
        yield sse(json)
      }
      if (!ended) throw upstreamUnavailable('The chat container ended its stream without saying why.')
      yield DONE
    },
  }
}

function parse(text: string): unknown {
  const parsed = parsedJson(text)
  if (parsed === undefined) throw upstreamUnavailable('The chat container answered with something that is not JSON.')
  return parsed.value
}

/** Writes the parts of one reply. */
function chatCompletion(model: string) {
  const head = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model }
  const json = (object: string, choices: readonly object[], usage?: Usage): string =>
    JSON.stringify({ ...head, object, choices, ...(usage && { usage }) })
  const chunk = (...parts: readonly [choices: readonly object[], usage?: Usage]): string =>
    sse(json('chat.completion.chunk', ...parts))
  return {
    whole: ({ text, finish = 'stop', usage }: Piece): string =>
      json(
        'chat.completion',
        [{ index: 0, message: { role: 'assistant', content: text }, logprobs: null, finish_reason: finish }],
        usage,
      ),
    delta: (delta: object, finish: Piece['finish'] | null = null): string =>
      chunk([{ index: 0, delta, logprobs: null, finish_reason: finish }]),
    usage: (usage: Usage): string => chunk([], usage),
  }
}

const DONE = 'data: [DONE]\n\n'

function sse(json: string): string {
  return `data: ${json}\n\n`
}

/** Passes text on, but holds back as much of its end as a stop sequence may take. */
export class StopText {
  readonly #stops: readonly string[]
  readonly #longest: number
  #held = ''

  constructor(stops: readonly string[]) {
    this.#stops = stops
    this.#longest = Math.max(0, ...stops.map((stop) => stop.length))
  }

  /** The text that can be sent now. */
  push(text: string): string {
    const whole = this.#held + text
    const sent = Math.max(0, whole.length - this.#longest)
    this.#held = whole.slice(sent)
    return whole.slice(0, sent)
  }

  /** The text that was held back, without a stop sequence at its end. */
  end(): string {
    const stop = this.#stops.find((sequence) => this.#held.endsWith(sequence))
    return stop === undefined ? this.#held : this.#held.slice(0, -stop.length)
  }
}
