// A chat model's endpoint: InvokeEndpoint and InvokeEndpointWithResponseStream in front of a TGI, LMI or vLLM
// container and a small bot.
// `handle` can be put behind any server; `startChatEndpoint` gives it one of its own.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { modelError, validationError } from './aws-errors.js'
import type { AwsError } from './aws-errors.js'
import { botAnswer, readLlama2, words } from './chat-bot.js'
import type { Exchange } from './chat-bot.js'
import { payloadPart, streamException } from './event-frames.js'
import { checkSignature } from './sigv4.js'

/**
 * `tgi` and `lmi` take raw `inputs`; `chat` is any container with the Messages API, `chat-jsonl` LMI's, which
 * streams JSON lines.
 */
export type ChatContainer = 'tgi' | 'lmi' | 'chat' | 'chat-jsonl'

/** What goes wrong after `after` tokens of a stream. */
export interface StreamFault {
  readonly after: number
  readonly kind: 'exception' | 'cut' | 'error-event' | 'silence' | 'no-end'
}

export interface ChatEndpointOptions {
  readonly name?: string
  readonly container?: ChatContainer
  /** Bytes of one PayloadPart, so that parts and lines do not align. Default: 7. */
  readonly partBytes?: number
  /** Milliseconds before each token of a stream. Default: 0. */
  readonly tokenMs?: number
}

export interface ChatEndpoint {
  readonly name: string
  readonly url: string
  /** Bodies as they arrived, oldest first. */
  readonly requests: readonly Record<string, unknown>[]
  /** What the bot made of the newest prompt. */
  readonly exchanges: readonly Exchange[] | undefined
  /** Streams whose reader went away before the end. */
  readonly abandoned: number
  /** The next calls fail so, whole or before a stream begins. */
  refuse(error: AwsError, times?: number): void
  faultStream(fault: StreamFault | undefined): void
  close(): Promise<void>
}

export async function startChatEndpoint(options: ChatEndpointOptions = {}): Promise<ChatEndpoint> {
  const { name = 'llama-2-chat', container = 'tgi', partBytes = 7, tokenMs = 0 } = options
  const requests: Record<string, unknown>[] = []
  const refusals: AwsError[] = []
  let exchanges: Exchange[] | undefined
  let fault: StreamFault | undefined
  let abandoned = 0

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const raw = Buffer.concat(chunks).toString('utf8')
    const fail = (error: AwsError): void =>
      void response
        .writeHead(error.status, { 'content-type': 'application/json', 'x-amzn-errortype': error.name })
        .end(error.body)
    const forged = await checkSignature(request, raw)
    if (forged) {
      fail(forged)
      return
    }
    const [, endpoint, streaming] =
      /^\/endpoints\/([^/]+)\/invocations(-response-stream)?$/.exec(request.url ?? '') ?? []
    if (endpoint !== name) {
      fail(validationError(`Endpoint ${endpoint} of account 123456789012 not found.`))
      return
    }
    const refusal = refusals.shift()
    if (refusal) {
      fail(refusal)
      return
    }
    const body = JSON.parse(raw) as Record<string, unknown>
    requests.push(body)
    const answer = respond(container, body)
    exchanges = answer.exchanges
    if ('refused' in answer) {
      fail(modelError(answer.refused.status, JSON.stringify({ error: answer.refused.text, error_type: 'validation' })))
      return
    }
    if (streaming === undefined)
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(answer.whole)
    await stream(response, answer.lines)
  }

  async function stream(response: ServerResponse, lines: readonly string[]): Promise<void> {
    response.once('close', () => (abandoned += response.writableFinished ? 0 : 1))
    response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' })
    let waiting = Buffer.alloc(0)
    const flush = (all: boolean): void => {
      while (waiting.length >= partBytes || (all && waiting.length > 0)) {
        response.write(payloadPart(waiting.subarray(0, partBytes)))
        waiting = waiting.subarray(partBytes)
      }
    }
    for (const [index, line] of lines.entries()) {
      if (response.destroyed) return
      if (tokenMs > 0) await new Promise((wake) => setTimeout(wake, tokenMs))
      if (fault?.after === index) {
        flush(true)
        if (fault.kind === 'silence') return
        if (fault.kind === 'cut') return void response.destroy()
        if (fault.kind === 'exception')
          return void response.end(
            streamException('ModelStreamError', { ErrorCode: 'StreamBroken', Message: 'the container went away' }),
          )
        if (fault.kind === 'error-event') return void response.end(payloadPart(Buffer.from(failureLine(container))))
        return void response.end()
      }
      waiting = Buffer.concat([waiting, Buffer.from(line)])
      flush(tokenMs > 0)
    }
    flush(true)
    response.end()
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    name,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get exchanges() {
      return exchanges
    },
    get abandoned() {
      return abandoned
    },
    refuse: (error, times = 1) => void refusals.push(...Array.from({ length: times }, () => error)),
    faultStream: (given) => void (fault = given),
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

type Response = { exchanges: Exchange[] | undefined } & (
  { refused: { status: number; text: string } } | { whole: string; lines: string[] }
)

function respond(container: ChatContainer, body: Record<string, unknown>): Response {
  if (container === 'chat' || container === 'chat-jsonl') return respondChat(container, body)
  const invalid = (text: string): Response => ({ exchanges: undefined, refused: { status: 422, text } })
  const inputs = body['inputs']
  if (typeof inputs !== 'string')
    return invalid(
      'Failed to deserialize the JSON body into the target type: missing field `inputs` at line 1 column 2',
    )
  const given = (body['parameters'] ?? {}) as Record<string, unknown>
  if (container === 'tgi' && typeof given['temperature'] === 'number' && given['temperature'] <= 0)
    return invalid('Input validation error: `temperature` must be strictly positive')
  if (container === 'tgi' && typeof given['top_p'] === 'number' && (given['top_p'] <= 0 || given['top_p'] >= 1))
    return invalid('Input validation error: `top_p` must be > 0.0 and < 1.0')
  const exchanges = readLlama2(inputs)
  if (!exchanges) return invalid('the prompt is not in the Llama-2 chat format')
  const { made, finish } = generate(
    botAnswer(exchanges),
    Number(given['max_new_tokens'] ?? 100),
    (given['stop'] ?? []) as string[],
  )
  const text = (given['return_full_text'] === false ? '' : inputs) + made.join('')
  const details = { finish_reason: finish, generated_tokens: made.length + (finish === 'eos_token' ? 1 : 0) }
  const all = finish === 'eos_token' ? [...made, '</s>'] : made
  const lines = all.map((token, index) => {
    const last = index === all.length - 1
    const mark =
      container === 'tgi'
        ? { logprob: -0.1, special: token === '</s>' }
        : { log_prob: -0.1, ...(token === '</s>' && { special_token: true }) }
    const json = JSON.stringify({
      index: index + 1,
      token: { id: index, text: token, ...mark },
      generated_text: last ? text : null,
      details: last
        ? { ...details, ...(container === 'tgi' && { seed: null, input_length: words(inputs).length }) }
        : null,
    })
    return container === 'tgi' ? `data:${json}\n\n` : `${json}\n`
  })
  const reply = { generated_text: text, ...(given['details'] === true && { details }) }
  return { exchanges, whole: JSON.stringify(container === 'tgi' ? [reply] : reply), lines }
}

function respondChat(container: ChatContainer, body: Record<string, unknown>): Response {
  const messages = body['messages'] as { role: string; content: string }[] | undefined
  if (!Array.isArray(messages))
    return { exchanges: undefined, refused: { status: 422, text: 'missing field `messages`' } }
  const exchanges: Exchange[] = messages
    .filter((message) => message.role === 'user')
    .map((message) => ({ user: message.content }))
  const { made, finish } = generate(
    botAnswer(exchanges),
    Number(body['max_tokens'] ?? 100),
    (body['stop'] ?? []) as string[],
  )
  const usage = {
    prompt_tokens: messages.length * 5,
    completion_tokens: made.length,
    total_tokens: messages.length * 5 + made.length,
  }
  const head = { id: 'chatcmpl-0', created: 1711997860, model: 'llama' }
  const reason = finish === 'length' ? 'length' : 'stop'
  const chunks = made.map((content, index) => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: { content }, finish_reason: index === made.length - 1 ? reason : null }],
  }))
  const lines = chunks.map((chunk) =>
    container === 'chat' ? `data: ${JSON.stringify(chunk)}\n\n` : `${JSON.stringify(chunk)}\n`,
  )
  const whole = JSON.stringify({
    ...head,
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: made.join('') }, finish_reason: reason }],
    usage,
  })
  return { exchanges, whole, lines: container === 'chat' ? [...lines, 'data: [DONE]\n\n'] : lines }
}

// TGI leaves the stop sequence in the text; so does this.
function generate(answer: string, limit: number, stops: readonly string[]): { made: string[]; finish: string } {
  const made: string[] = []
  for (const word of words(answer)) {
    if (made.length >= limit) return { made, finish: 'length' }
    made.push(word)
    if (stops.some((stop) => made.join('').endsWith(stop))) return { made, finish: 'stop_sequence' }
  }
  return { made, finish: 'eos_token' }
}

function failureLine(container: ChatContainer): string {
  if (container === 'lmi')
    return `${JSON.stringify({ token: { id: -1, text: '', log_prob: -1, special_token: true }, generated_text: '', details: { finish_reason: 'error', generated_tokens: null, inputs: null } })}\n`
  return `data:${JSON.stringify({ error: 'Request failed during generation', error_type: 'generation' })}\n\n`
}
