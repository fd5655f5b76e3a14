// Calls a chat endpoint through the AWS SDK, whole or as a response stream; and knows SageMaker's OpenAI-compatible
// path: its URL, and the bearer token that stands for the account's credentials.
// Source: "Invoke endpoints with OpenAI-compatible APIs" in the SageMaker developer guide, and sagemaker-core's
// token_generator.py, whose tokens these equal.
import {
  InvokeEndpointCommand,
  type InvokeEndpointCommandInput,
  InvokeEndpointWithResponseStreamCommand,
  SageMakerRuntimeClient,
} from '@aws-sdk/client-sagemaker-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { builtRequest, type HttpRequest } from '../../utils/built-request.js'

export interface ChatClientOptions {
  /** The caller's own client, which `close()` leaves open. */
  readonly client: SageMakerRuntimeClient | undefined
  /** Milliseconds without a byte before a call fails. */
  readonly timeoutMs: number
  /** The most sockets kept open. */
  readonly connections: number
}

export function createChatClient({ client: own, timeoutMs, connections }: ChatClientOptions) {
  const client = own ?? newClient(timeoutMs, connections)
  return {
    sdk: client,
    invoke: (input: InvokeEndpointCommandInput, signal: AbortSignal) =>
      client.send(new InvokeEndpointCommand(input), { abortSignal: signal }),
    stream: (input: InvokeEndpointCommandInput, signal: AbortSignal) =>
      client.send(new InvokeEndpointWithResponseStreamCommand(input), { abortSignal: signal }),
    close: () => (own ? undefined : client.destroy()),
  }
}

function newClient(timeoutMs: number, connections: number): SageMakerRuntimeClient {
  return new SageMakerRuntimeClient({
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 5_000,
      socketTimeout: timeoutMs,
      httpsAgent: { maxSockets: connections },
      httpAgent: { maxSockets: connections },
    }),
  })
}

/** Where tokens are signed for, in every region. */
const HOST = 'sagemaker.amazonaws.com'
const PREFIX = 'sagemaker-api-key-'
/** Seconds for which a token is good, and after which the next one is made. A token is read when a call begins. */
const GOOD_FOR = 900
const RENEWED_AFTER = 300

/** The signer of the SDK, which can do more than its type says. */
interface Presigner {
  presign?(
    request: HttpRequest,
    options: { readonly expiresIn: number; readonly signingDate: Date; readonly signingService: string },
  ): Promise<Pick<HttpRequest, 'query'>>
}

/** The base URL of the path, without a slash at its end. The SDK decides the host. */
export async function openAiBase(
  client: SageMakerRuntimeClient,
  endpoint: string,
  inferenceComponent: string | undefined,
): Promise<string> {
  const command = new InvokeEndpointCommand({ EndpointName: endpoint, Body: '' })
  const { protocol, hostname, port } = await builtRequest(client, command)
  const component = inferenceComponent === undefined ? '' : `/inference-components/${inferenceComponent}`
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}/endpoints/${endpoint}${component}/openai/v1`
}

/** Makes tokens: a presigned `CallWithBearerToken`, in base64. Nothing is sent for it. */
export function bearerTokens(client: SageMakerRuntimeClient, now = Date.now): () => Promise<string> {
  let last: { readonly token: Promise<string>; readonly until: number } | undefined
  return () => {
    if (last === undefined || now() >= last.until) {
      const made = { token: sign(client, new Date(now())), until: now() + RENEWED_AFTER * 1000 }
      last = made
      made.token.catch(() => {
        if (last === made) last = undefined
      })
    }
    return last.token
  }
}

async function sign({ config }: SageMakerRuntimeClient, signingDate: Date): Promise<string> {
  const signer = (await config.signer()) as Presigner
  if (signer.presign === undefined) throw new TypeError('The signer of this SDK client cannot presign.')
  const { query = {} } = await signer.presign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: HOST,
      path: '/',
      query: { Action: 'CallWithBearerToken' },
      headers: { host: HOST },
    },
    { expiresIn: GOOD_FOR, signingDate, signingService: 'sagemaker' },
  )
  const written = Object.entries(query).map(([name, value]) => `${escaped(name)}=${escaped(String(value))}`)
  return PREFIX + Buffer.from(`${HOST}/?${written.join('&')}&Version=1`).toString('base64')
}

/** RFC 3986, as Signature Version 4 wants it. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
