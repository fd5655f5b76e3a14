// A SageMaker Runtime on a local port: real HTTP for the real AWS SDK, and behind it a Llama Guard in a container of
// text-generation-inference.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { isObject, parsedJson } from '../utils/json.js'
import { type AwsError, CREDENTIALS, modelError, REGION, serviceError, UNKNOWN_KEY, validationError } from './aws.js'
import { type Asked, judge, readPrompt } from './model.js'
import { answerOfTgi, type Body } from './tgi.js'

/** One call as the guard model saw it: the turns of its prompt and the ids of the policy in it. */
export type EmulatedConversation = Asked

export interface SageMakerEmulatorOptions {
  /** TCP port on 127.0.0.1. Default: 0, which takes a free one. */
  readonly port?: number
  /** Name of the endpoint; any other is a ValidationError, as on AWS. Default: `"llama-guard"`. */
  readonly endpoint?: string
  /**
   * What the guard model writes about the last turn: `"safe"`, or `"unsafe\nS1,S10"`. One that throws makes the call
   * fail with status 500. Default: unsafe for `UNSAFE`, with ids for `UNSAFE_S1` or `UNSAFE_S1,S10`, and for a few
   * plain words such as "bomb".
   */
  readonly answer?: (text: string, conversation: EmulatedConversation) => string
  /** Milliseconds before each answer. Default: 0. */
  readonly delayMs?: number
}

export interface SageMakerEmulator {
  readonly url: string
  readonly port: number
  readonly endpoint: string
  /**
   * Environment variables that point the AWS SDK and `llamaGuard()` here: the region, made-up credentials, the URL of
   * SageMaker Runtime and `LLAMA_GUARD_ENDPOINT`. Set them before the middleware is made.
   */
  readonly env: Readonly<Record<string, string>>
  /** Every conversation that was judged, oldest first. */
  conversations(): readonly EmulatedConversation[]
  /** Frees the port, and breaks off the calls that are still open. */
  close(): Promise<void>
}

/**
 * A SageMaker Runtime on a local port with a Llama Guard behind it, for an app that is to be tested with the real AWS
 * SDK. It answers as text-generation-inference does, and refuses an unknown endpoint and another key than that of
 * `env`, as AWS does. The rest of a signature is not looked at.
 */
export async function sageMakerEmulator(options: SageMakerEmulatorOptions = {}): Promise<SageMakerEmulator> {
  const { port, endpoint = 'llama-guard', answer, delayMs = 0 } = options
  const conversations: Asked[] = []
  const runtime = await startRuntime({
    port,
    endpoints: [endpoint],
    admit: ({ headers }) =>
      headers.authorization?.includes(`Credential=${CREDENTIALS.accessKeyId}/`) ? undefined : UNKNOWN_KEY,
    async answer({ body }, _request, response) {
      const prompt = body?.['inputs']
      if (typeof prompt !== 'string') return sendError(response, modelError(422, 'missing field `inputs`'))
      const asked = readPrompt(prompt)
      conversations.push(asked)
      if (delayMs > 0) await sleep(delayMs)
      const made = answer === undefined ? judge(asked) : { text: answer(asked.turns.at(-1)?.text ?? '', asked) }
      send(response, 200, answerOfTgi(body, prompt, asked, made))
    },
  })
  return {
    ...runtime,
    endpoint,
    env: { ...environmentOf(runtime.url), LLAMA_GUARD_ENDPOINT: endpoint },
    conversations: () => conversations,
  }
}

/** One request for a known endpoint. `body`: undefined when it is no JSON object. */
export interface Received {
  readonly endpoint: string
  readonly raw: string
  readonly body: Body | undefined
}

export interface RuntimeOptions {
  readonly port?: number | undefined
  /** Names it answers to; any other is a ValidationError, as on AWS. */
  readonly endpoints: readonly string[]
  /** What AWS says against the signature of a request; undefined for a good one. */
  admit(
    request: IncomingMessage,
    raw: string,
    response: ServerResponse,
  ): AwsError | undefined | Promise<AwsError | undefined>
  /** Answers a request that AWS lets through. */
  answer(received: Received, request: IncomingMessage, response: ServerResponse): void | Promise<void>
}

/** The service without a container. */
export async function startRuntime({ port, endpoints, admit, answer }: RuntimeOptions) {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const raw = Buffer.concat(chunks).toString('utf8')
    const path = /^\/endpoints\/([^/]+)\/invocations$/.exec(request.url ?? '')?.[1]
    const endpoint = decodeURIComponent(path ?? '')
    const refusal = (await admit(request, raw, response)) ?? wrongAddress(request.method, endpoint, endpoints)
    if (refusal) sendError(response, refusal)
    else {
      const body = parsedJson(raw)?.value
      await answer({ endpoint, raw, body: isObject(body) ? body : undefined }, request, response)
    }
  }
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else sendError(response, serviceError(500, 'EmulatorFailure', `the emulator failed: ${String(error)}`))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port ?? 0, '127.0.0.1', resolve)
  })
  const address = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    async close(): Promise<void> {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

function wrongAddress(
  method: string | undefined,
  endpoint: string,
  endpoints: readonly string[],
): AwsError | undefined {
  if (method !== 'POST' || endpoint === '') return serviceError(404, 'UnknownOperationException', 'Unknown operation')
  return endpoints.includes(endpoint)
    ? undefined
    : validationError(`Endpoint ${endpoint} of account 123456789012 not found.`)
}

/** What the AWS SDK must find in the environment to talk to the emulator instead of AWS. */
export function environmentOf(url: string): Record<string, string> {
  return {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: url,
  }
}

export function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-amzn-requestid': crypto.randomUUID(),
    'x-amzn-invoked-production-variant': 'AllTraffic',
    ...headers,
  })
  response.end(body)
}

export function sendError(response: ServerResponse, { status, body, name }: AwsError): void {
  send(response, status, body, { 'x-amzn-errortype': name })
}
