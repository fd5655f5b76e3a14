// Opens response streams of an endpoint (InvokeEndpointWithResponseStream) through the AWS SDK.
import { InvokeEndpointWithResponseStreamCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import type { ResponseStream } from '@aws-sdk/client-sagemaker-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { SageMakerOptions } from './index.js'
import { addTrace } from './trace-header.js'

const CONNECT_MS = 3000

export interface StreamClient {
  /** Asks with a JSON body and custom attributes. Rejects with the error of the SDK or of the connection. */
  open(body: string, attributes: string | undefined, signal: AbortSignal): Promise<AsyncIterable<ResponseStream> | []>
  /** Rejects with the SDK's error when there are no credentials. */
  check(): Promise<void>
  /** Closes the sockets. A client of the caller's own stays open. */
  close(): void
}

export function createStreamClient(o: SageMakerOptions): StreamClient {
  const client = o.client ?? createClient(o)
  const target = {
    EndpointName: o.endpoint,
    InferenceComponentName: o.inferenceComponent,
    TargetVariant: o.targetVariant,
    ContentType: 'application/json',
    Accept: 'application/json',
  }
  return {
    async open(body, attributes, signal) {
      const command = new InvokeEndpointWithResponseStreamCommand({
        ...target,
        CustomAttributes: attributes,
        Body: body,
      })
      command.middlewareStack.add(addTrace, { step: 'build' })
      const reply = await client.send(command, { abortSignal: signal })
      return reply.Body ?? []
    },
    check: async () => void (await client.config.credentials()),
    close: () => (o.client ? undefined : client.destroy()),
  }
}

function createClient({ concurrency, timeoutMs }: SageMakerOptions): SageMakerRuntimeClient {
  const agent = { keepAlive: true, maxSockets: concurrency }
  return new SageMakerRuntimeClient({
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      httpAgent: agent,
      httpsAgent: agent,
      connectionTimeout: Math.min(CONNECT_MS, timeoutMs),
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
    }),
  })
}
