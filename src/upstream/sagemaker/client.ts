// Calls a chat endpoint through the AWS SDK, whole or as a response stream.
import {
  InvokeEndpointCommand,
  InvokeEndpointWithResponseStreamCommand,
  SageMakerRuntimeClient,
} from '@aws-sdk/client-sagemaker-runtime'
import type {
  InvokeEndpointCommandInput,
  InvokeEndpointCommandOutput,
  InvokeEndpointWithResponseStreamCommandOutput,
} from '@aws-sdk/client-sagemaker-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'

export interface ChatClientOptions {
  /** The caller's own client, which `close()` leaves open. */
  readonly client: SageMakerRuntimeClient | undefined
  /** Milliseconds without a byte before a call fails. */
  readonly timeoutMs: number
  /** The most sockets kept open. */
  readonly connections: number
}

export interface ChatClient {
  readonly sdk: SageMakerRuntimeClient
  invoke(input: InvokeEndpointCommandInput, signal: AbortSignal): Promise<InvokeEndpointCommandOutput>
  stream(input: InvokeEndpointCommandInput, signal: AbortSignal): Promise<InvokeEndpointWithResponseStreamCommandOutput>
  close(): void
}

export function createChatClient({ client: own, timeoutMs, connections }: ChatClientOptions): ChatClient {
  const client = own ?? newClient(timeoutMs, connections)
  return {
    sdk: client,
    invoke: (input, signal) => client.send(new InvokeEndpointCommand(input), { abortSignal: signal }),
    stream: (input, signal) => client.send(new InvokeEndpointWithResponseStreamCommand(input), { abortSignal: signal }),
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
