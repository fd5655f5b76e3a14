// InvokeEndpointWithResponseStream: an answer token by token, in AWS's event stream framing, cut wherever a test wants.
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { modelError } from '../../src/testing/emulator/aws-errors.js'
import { payloadPart, streamException } from './event-frames.js'
import { checkSignature } from './sigv4.js'

/** What goes over the wire, in order. Numbers are pauses in milliseconds; `hang` never ends. */
export type StreamStep = string | Buffer | number

export interface StreamEmulator {
  readonly url: string
  readonly bodies: Record<string, unknown>[]
  /** Connections that were made. */
  readonly connections: number
  /** Calls whose connection the client closed before the stream had ended. */
  readonly cut: number
  /** What the next calls stream: text becomes PayloadParts, a Buffer goes out as it is. */
  script: readonly StreamStep[]
  /** Which bodies the container takes, as vLLM's image does. Default: all. */
  takes: (body: Record<string, unknown>) => boolean
  /** Bytes per PayloadPart. */
  partSize: number
  close(): Promise<void>
}

/** An answer as TGI streams it: server-sent events. */
export function tgiStream(tokens: readonly string[], finishReason = 'eos_token', logprob = -0.02): string[] {
  const last = tokens.length
  const event = (token: object, done: boolean): string =>
    `data:${JSON.stringify({ index: 1, token, generated_text: done ? tokens.join('') : null, details: done ? { finish_reason: finishReason, generated_tokens: last + 1, seed: null } : null })}\n\n`
  return [
    ...tokens.map((text, id) => event({ id, text, logprob, special: false }, false)),
    event({ id: 2, text: '</s>', logprob: 0, special: true }, true),
  ]
}

/** An answer as LMI streams it: JSON lines. */
export function lmiStream(tokens: readonly string[], finishReason: string | null = 'eos_token'): string[] {
  return tokens.map(
    (text, id) =>
      `${JSON.stringify({ token: { id, text, log_prob: -0.02 }, ...(id === tokens.length - 1 && { generated_text: tokens.join(''), details: { finish_reason: finishReason, generated_tokens: tokens.length, inputs: 'prompt' } }) })}\n`,
  )
}

/** An answer as vLLM streams it. */
export function openAiStream(tokens: readonly string[], finishReason = 'stop'): string[] {
  const chunk = (text: string, finish: string | null): string =>
    `data: ${JSON.stringify({ id: 'cmpl-0', object: 'text_completion', choices: [{ index: 0, text, logprobs: null, finish_reason: finish }] })}\n\n`
  return [...tokens.map((text) => chunk(text, null)), chunk('', finishReason), 'data: [DONE]\n\n']
}

export const modelStreamError = (errorCode: string): Buffer =>
  streamException('ModelStreamError', {
    Message: 'The model broke while it wrote: words of the prompt',
    ErrorCode: errorCode,
  })
export const internalStreamFailure = (): Buffer => streamException('InternalStreamFailure', { Message: 'internal' })

export async function startStreamEmulator(): Promise<StreamEmulator> {
  const bodies: Record<string, unknown>[] = []
  const sockets = new Set<Socket>()
  const counts = { connections: 0, cut: 0 }
  const state = { script: [] as readonly StreamStep[], partSize: Infinity, takes: (_: Record<string, unknown>) => true }

  const play = async (response: ServerResponse): Promise<void> => {
    response.writeHead(200, {
      'content-type': 'application/vnd.amazon.eventstream',
      'x-amzn-sagemaker-content-type': 'text/event-stream',
    })
    for (const step of state.script) {
      if (response.destroyed) return
      if (step === 'hang') return
      if (typeof step === 'number') await new Promise((wake) => setTimeout(wake, step))
      else if (Buffer.isBuffer(step)) response.write(step)
      else for (const part of parts(Buffer.from(step), state.partSize)) response.write(payloadPart(part))
    }
    response.end()
  }

  const server = createServer((request, response) => {
    let raw = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => (raw += text))
    request.on('end', () => {
      void checkSignature(request, raw).then((forged) => {
        if (forged || !/^\/endpoints\/[^/]+\/invocations-response-stream$/.test(request.url ?? '')) {
          response
            .writeHead(forged?.status ?? 404, { 'x-amzn-errortype': forged?.name ?? 'UnknownOperationException' })
            .end('{}')
          return
        }
        const body = JSON.parse(raw) as Record<string, unknown>
        bodies.push(body)
        if (!state.takes(body)) {
          const refused = modelError(
            400,
            "Cannot find suitable handler for request. Expected one of: ['CompletionRequest']",
          )
          response.writeHead(refused.status, { 'x-amzn-errortype': refused.name }).end(refused.body)
          return
        }
        response.once('close', () => response.writableFinished || counts.cut++)
        void play(response)
      })
    })
  })
  server.on('connection', (socket) => {
    counts.connections++
    sockets.add(socket)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    get connections() {
      return counts.connections
    },
    get cut() {
      return counts.cut
    },
    get script() {
      return state.script
    },
    set script(steps) {
      state.script = steps
    },
    get takes() {
      return state.takes
    },
    set takes(takes) {
      state.takes = takes
    },
    get partSize() {
      return state.partSize
    },
    set partSize(bytes) {
      state.partSize = bytes
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}

function* parts(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
