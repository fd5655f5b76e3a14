// InvokeEndpoint without paying for the SDK's whole machinery at every call, which is three quarters of a
// call's CPU.
// The SDK builds the first request; later ones are that request with another body and signature. Every answer
// but a 200 goes back through the SDK, which names the error. So endpoint, region, credentials and clock stay
// the SDK's own affair.
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import type { InvokeEndpointCommandInput } from '@aws-sdk/client-sagemaker-runtime'
import type { LazyAbortController } from '../../../utils/lazy-abort-controller.js'
import { signLike, type Sign } from './sagemaker-sign.js'
import { createWire, type HttpRequest, type HttpResponse, type Send, type WireOptions } from './http-handler.js'

/** What every call has in common. */
export type InvokeTarget = Omit<InvokeEndpointCommandInput, 'Body'>

export interface Invoke {
  /** The answer's body. Rejects with whatever the SDK or the connection throws. */
  (body: Uint8Array | string, signal: LazyAbortController): Promise<Uint8Array | undefined>
  close(): void
}

/** True of one call only: signed anew, counted anew, or the trace of the request that happened to come first. */
const OF_ONE_CALL = new Set([
  'content-length',
  'authorization',
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-security-token',
  'amz-sdk-invocation-id',
  'amz-sdk-request',
  'x-amzn-trace-id',
])

/** With a client and sockets of its own. */
export function createInvoke(target: InvokeTarget, options: WireOptions): Invoke {
  const wire = createWire(options)
  const client = new SageMakerRuntimeClient({ maxAttempts: 1, requestHandler: wire.handler })
  type Signer = Awaited<ReturnType<typeof client.config.signer>>
  let model:
    | { readonly request: HttpRequest; readonly send: Send; readonly signer: Signer; readonly sign: Sign | undefined }
    | undefined

  // The SDK keeps what it learns of the server's clock in its configuration.
  const serverTime = (): Date => new Date(Date.now() + client.config.systemClockOffset)

  const learn = async (body: Uint8Array | string, signal: LazyAbortController): Promise<Uint8Array | undefined> => {
    const command = new InvokeEndpointCommand({ ...target, Body: body })
    let built: HttpRequest | undefined
    command.middlewareStack.add(
      (next) => (args) => {
        built = args.request as HttpRequest
        return next(args)
      },
      { step: 'build', priority: 'low' },
    )
    const reply = await client.send(command, { abortSignal: signal.signal })
    if (built !== undefined) {
      const [request, signer, credentials, signingDate] = [
        reusable(built),
        await client.config.signer(),
        await client.config.credentials(),
        serverTime(),
      ]
      const signed = await signer.sign({ ...request, body }, { signingDate })
      model = { request, send: wire.like(request), signer, sign: signLike(request, signed, credentials, signingDate) }
    }
    return reply.Body
  }

  const explain = async (
    body: Uint8Array | string,
    response: HttpResponse,
    signal: LazyAbortController,
  ): Promise<Uint8Array | undefined> => {
    const command = new InvokeEndpointCommand({ ...target, Body: body })
    command.middlewareStack.add(() => () => Promise.resolve({ response, output: {} as never }), {
      step: 'deserialize',
      priority: 'low',
    })
    const reply = await client.send(command, { abortSignal: signal.signal })
    return reply.Body
  }

  const invoke = async (body: Uint8Array | string, signal: LazyAbortController): Promise<Uint8Array | undefined> => {
    if (model === undefined) return learn(body, signal)
    const { request, send, signer, sign } = model
    const headers =
      sign?.(body, await client.config.credentials(), serverTime()) ??
      (await signer.sign({ ...request, body }, { signingDate: serverTime() })).headers
    const response = await send(headers, body, signal)
    return response.statusCode === 200 ? response.body : explain(body, response, signal)
  }
  return Object.assign(invoke, {
    close() {
      client.destroy()
      wire.close()
    },
  })
}

/** With the caller's client, whose middleware may do more than we know. */
export function invokeThrough(client: SageMakerRuntimeClient, target: InvokeTarget): Invoke {
  const invoke = async (body: Uint8Array | string, stop: LazyAbortController): Promise<Uint8Array | undefined> => {
    const reply = await client.send(new InvokeEndpointCommand({ ...target, Body: body }), { abortSignal: stop.signal })
    return reply.Body
  }
  return Object.assign(invoke, { close: () => undefined })
}

function reusable(request: HttpRequest): HttpRequest {
  return {
    ...request,
    headers: Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !OF_ONE_CALL.has(name.toLowerCase())),
    ),
  }
}
