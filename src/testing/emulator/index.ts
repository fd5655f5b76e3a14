// A SageMaker Services endpoint with a Llama Guard behind it, on a loopback port: real HTTP for the real AWS
// SDK. It checks what AWS and the container check (credential, path, parameters) and can be told to fail in
// every way they fail.
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { modelError, serviceError, validationError } from './aws-errors.js'
import type { AwsError } from './aws-errors.js'
import { checkParameters, promptOf } from './container-requests.js'
import { answerLike } from './containers.js'
import { judge, readPrompt } from './model.js'
import type { Answer } from './model.js'
import { classifierAnswer } from './classifier.js'
import { checkCredential, CREDENTIALS, REGION } from './credentials.js'
import { createClock } from './timing.js'
import type { BehaveOptions, Behaviour, Call, Emulator, EmulatorOptions, Received } from './types.js'

export type { Container } from './containers.js'
export { readPrompt } from './model.js'
export type { Answer, Asked } from './model.js'
export type * from './types.js'

interface Queued extends BehaveOptions {
  behaviour: Behaviour
}

export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const endpoints = [...(options.endpoints ?? ['llama-guard']), ...Object.keys(options.serves ?? {})]
  const container = options.container ?? 'tgi'
  const model = options.model ?? judge
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
    const fail = (error: AwsError): void => {
      send(response, error.status, error.body, { 'x-amzn-errortype': error.name })
    }
    const endpoint = decodeURIComponent(/^\/endpoints\/([^/]+)\/invocations$/.exec(request.url ?? '')?.[1] ?? '')
    const { aheadMs = 0, error: skewed } = options.clock ?? {}
    const now = Date.now() + aheadMs
    if (aheadMs !== 0) response.setHeader('date', new Date(now).toUTCString())
    const forged = options.checkSignature
      ? await options.checkSignature(request, raw, now)
      : checkCredential(request.headers.authorization)
    const wrong =
      (forged && skewed !== undefined ? { ...forged, name: skewed } : forged) ?? wrongAddress(request.method, endpoint)
    if (wrong) {
      fail(wrong)
      return
    }

    const served = options.serves?.[endpoint]
    const generate = ({ prompt: text = '', asked }: Received): Answer =>
      served && 'generates' in served ? served.generates(text) : model(asked ?? readPrompt(''))
    const body = parse(raw)
    const prompt = body && promptOf(body)
    const received: Received = {
      endpoint,
      headers: request.headers,
      raw,
      body,
      prompt,
      asked: prompt === undefined ? undefined : readPrompt(prompt),
    }
    requests.push(received)
    if (options.latencyMs) await new Promise((wake) => setTimeout(wake, options.latencyMs))
    if (clock) await clock(prompt ?? '', maxTokensOf(body))

    const refused = checkParameters(container, request.headers['content-type'], body, options.contextTokens ?? 131_072)
    const normal = (answer?: Answer) =>
      served && 'classifies' in served && !answer
        ? classifierAnswer(served.classifies(prompt ?? ''), body)
        : answerLike(container, received, answer ?? generate(received))
    const call: Call = {
      ...received,
      request,
      response,
      normal,
      answer: (instead) =>
        refused && !instead ? fail(modelError(refused.status, refused.text)) : send(response, 200, normal(instead)),
      fail,
      send: (value, type) =>
        send(
          response,
          200,
          typeof value === 'string' ? value : JSON.stringify(value),
          type ? { 'content-type': type } : {},
        ),
    }
    const behaviour = next(received)
    if (behaviour) await behaviour(call)
    else call.answer()
  }

  function wrongAddress(method: string | undefined, endpoint: string): AwsError | undefined {
    if (method !== 'POST' || endpoint === '') return serviceError(404, 'UnknownOperationException', 'Unknown operation')
    return endpoints.includes(endpoint)
      ? undefined
      : validationError(`Endpoint ${endpoint} of account 123456789012 not found.`)
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

function send(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-amzn-requestid': crypto.randomUUID(),
    'x-amzn-invoked-production-variant': 'AllTraffic',
    ...headers,
  })
  response.end(body)
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function parse(raw: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(raw)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

function maxTokensOf(body: Record<string, unknown> | undefined): number {
  const { max_new_tokens: most } = (body?.['parameters'] ?? {}) as { max_new_tokens?: unknown }
  return typeof most === 'number' ? most : 100
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}
