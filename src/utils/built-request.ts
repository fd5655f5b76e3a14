// What the AWS SDK would send for a call of SageMaker: the address and the headers that its settings choose. Nothing is
// sent for it.
import type { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'

/** A request as the SDK builds it, before it is signed. */
export interface HttpRequest {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query?: Record<string, string | string[] | null>
  readonly headers: Record<string, string>
}

/** Rejects as a call would, for example without a region. */
export async function builtRequest(
  client: SageMakerRuntimeClient,
  command: InvokeEndpointCommand,
): Promise<HttpRequest> {
  let built: HttpRequest | undefined
  command.middlewareStack.add(
    () => (args) => {
      built = args.request as HttpRequest
      return Promise.resolve({ response: undefined, output: {} as never })
    },
    { step: 'build', priority: 'low' },
  )
  await client.send(command)
  return built!
}
