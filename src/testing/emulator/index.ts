// A SageMaker Services endpoint with a Llama Guard behind it, on a loopback port: real HTTP for the real AWS
// SDK. It checks what AWS and the container check (credential, path, parameters) and can be told to fail in
// every way they fail.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { endpointOf, refusalOf } from './admission.js'
import { callOf, maxTokensOf, receive } from './call.js'
import { CREDENTIALS, REGION } from './credentials.js'
import { listen, readAll, send, sendError } from './http.js'
import { createClock } from './timing.js'
import type { BehaveOptions, Behaviour, Emulator, EmulatorOptions, Received } from './types.js'

export type { Container } from './containers.js'
export { readPrompt } from './model.js'
export type { Answer, Asked } from './model.js'
export type * from './types.js'

interface Queued extends BehaveOptions {
  behaviour: Behaviour
}

export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const endpoints = [...(options.endpoints ?? ['llama-guard']), ...Object.keys(options.serves ?? {})]
  const requests: Received[] = []
  const queue: Queued[] = []
  const clock = options.timing && createClock(options.timing)
  let open = 0
  let peak = 0

  function next(received: Received): Behaviour | undefined {
    const found = queue.find((queued) => queued.when?.(received) ?? true)
    if (found?.times !== undefined && --found.times <= 0) queue.splice(queue.indexOf(found), 1)
    return found?.behaviour
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await readAll(request)
    const { aheadMs = 0 } = options.clock ?? {}
    const now = Date.now() + aheadMs
    if (aheadMs !== 0) response.setHeader('date', new Date(now).toUTCString())
    const refusal = await refusalOf(request, raw, now, endpoints, options)
    if (refusal) {
      sendError(response, refusal)
      return
    }
    const received = receive(request, raw, endpointOf(request.url))
    requests.push(received)
    if (options.latencyMs) await new Promise((wake) => setTimeout(wake, options.latencyMs))
    if (clock) await clock(received.prompt ?? '', maxTokensOf(received.body))
    const call = callOf(received, request, response, options)
    const behaviour = next(received)
    if (behaviour) await behaviour(call)
    else call.answer()
  }

  const server = createServer((request, response) => {
    peak = Math.max(peak, ++open)
    response.once('close', () => open--)
    handle(request, response).catch((error: unknown) => {
      if (!response.headersSent)
        send(response, 500, JSON.stringify({ Message: `the emulator failed: ${String(error)}` }), {
          'x-amzn-errortype': 'EmulatorFailure',
        })
      else response.destroy()
    })
  })
  const port = await listen(server, options.port ?? 0)
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    port,
    endpoint: endpoints[0] ?? '',
    env: emulatorEnv({ url }),
    requests,
    get peak() {
      return peak
    },
    conversations: () => requests.flatMap((received) => received.asked ?? []),
    behave: (behaviour, given = {}) => void queue.push({ behaviour, ...given }),
    reset() {
      queue.length = 0
      requests.length = 0
      peak = open
    },
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

/** What the AWS SDK must find in the environment to talk to the emulator instead of AWS. */
export function emulatorEnv(emulator: { url: string }): Record<string, string> {
  return {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: emulator.url,
  }
}

/** The same as a configuration for `new SageMakerRuntimeClient(...)`. */
export function emulatorClient(emulator: { url: string }) {
  return { region: REGION, credentials: CREDENTIALS, endpoint: emulator.url }
}
