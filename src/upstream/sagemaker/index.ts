// A chat model on a SageMaker endpoint. Requests are translated for its container, and answers become Chat
// Completions, whole or as SSE.
import type { InvokeEndpointCommandInput, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import { invalidOption, LlamaGuardError, unsupportedContent, upstreamUnavailable } from '../../types/errors.js'
import { besideStart, closeLoaded } from '../../utils/beside-start.js'
import { withoutWords } from '../../utils/failed-call.js'
import { loadSdk } from '../../utils/load-sdk.js'
import { httpUpstream } from '../http/index.js'
import type { Upstream, UpstreamCall } from '../types.js'
import { write } from '../../utils/write.js'
import { chatFormat, type ChatFormat, type ChatTranslator } from './chat-format.js'
import { eventJson } from './container-reply.js'
import { type Refused, refusedByContainer, refusedByService } from './errors.js'

export type { ChatFormat } from './chat-format.js'

export interface SageMakerChatOptions {
  /** Name of the endpoint. Region, credentials and retries come from the AWS SDK's own settings. */
  readonly endpoint: string
  /**
   * `llama-2`: raw `inputs` in the Llama-2 chat format. `messages`: the container takes Chat Completions as
   * invocations. `openai`: SageMaker's own OpenAI-compatible path, which vLLM's and SGLang's images serve; the reply
   * passes as the container wrote it, and the credentials need `sagemaker:CallWithBearerToken` too. Default:
   * `llama-2` when the endpoint's name contains `llama-2` or `llama2`, else `messages`.
   */
  readonly format?: ChatFormat | 'openai'
  readonly inferenceComponent?: string
  readonly targetVariant?: string
  /**
   * Milliseconds without a byte before a call fails. SageMaker itself ends a call without streaming after 60 s.
   * Default: 70000, as AWS advises.
   */
  readonly timeoutMs?: number
  /** The most calls at once. One more is `upstream_unavailable`. Default: 1024. */
  readonly connections?: number
  /** An SDK client of your own, which stays open. Default: a client that is closed with the upstream. */
  readonly client?: SageMakerRuntimeClient
}

export function sagemakerChatUpstream(options: SageMakerChatOptions): Upstream {
  if (options.format === 'openai' && options.targetVariant !== undefined)
    throw invalidOption("upstream: the format 'openai' has no targetVariant. Leave it out.")
  const { endpoint, connections = 1024, timeoutMs = 70_000 } = options
  // client.ts brings the AWS SDK, which loads beside the app's own start instead of before it.
  const loading = besideStart(
    loadSdk()
      .then(() => import('./client.js'))
      .then(({ createChatClient }) => createChatClient({ client: options.client, timeoutMs, connections })),
  )
  const openAi =
    options.format === 'openai'
      ? Promise.all([loading, import('./client.js')]).then(async ([{ sdk }, { bearerTokens, openAiBase }]) => {
          const url = await openAiBase(sdk, endpoint, options.inferenceComponent)
          const refusal = (status: number, { 'x-amzn-errortype': type }: Record<string, unknown>) =>
            status >= 400 && typeof type === 'string' ? refusedByService(type, status, endpoint) : undefined
          return httpUpstream({ url, timeoutMs, connections }, { bearer: bearerTokens(sdk), refusal })
        })
      : undefined
  openAi?.catch(() => undefined)
  const { format: chosen = /llama-?2(?!\d)/i.test(endpoint) ? 'llama-2' : 'messages' } = options
  const format = chatFormat(chosen === 'openai' ? 'messages' : chosen, endpoint)
  const open = new Set<Promise<void>>()

  async function forward(call: UpstreamCall): Promise<void> {
    if (call.signal.aborted) return
    if (open.size >= connections)
      throw upstreamUnavailable(
        `${open.size} calls to the chat endpoint ${endpoint} are open, which is the most allowed (connections).`,
      )
    const running =
      call.req.method === 'GET' && /\/models\/?$/.test(pathOf(call)) ? listModels(call, endpoint) : chat(call)
    open.add(running)
    try {
      await running
    } catch (error) {
      if (!call.signal.aborted) throw error
    } finally {
      open.delete(running)
    }
  }

  async function chat(call: UpstreamCall): Promise<void> {
    const { translator, input } = prepare(call)
    if (openAi !== undefined) return passOn(call, await openAi.catch(unreachable))
    const sent =
      call.body?.['stream'] === true ? await stream(input, translator, call) : await whole(input, translator, call)
    if (sent !== undefined) reply(call, sent.status, sent.body)
  }

  /** The container may serve one model under any name. It takes an empty one, and SageMaker routes by the path. */
  function passOn(call: UpstreamCall, upstream: Upstream): Promise<void> {
    return upstream.forward({ ...call, body: { ...call.body, model: '' }, exact: undefined, path: '/chat/completions' })
  }

  function unreachable(error: unknown): never {
    throw upstreamUnavailable(`The chat endpoint ${endpoint} cannot be called.`, { cause: withoutWords(error) })
  }

  function prepare(call: UpstreamCall): { translator: ChatTranslator; input: InvokeEndpointCommandInput } {
    if (!Array.isArray(call.body?.['messages']) || /\/(messages|responses)\/?$/.test(pathOf(call)))
      throw unsupportedContent(
        `The chat endpoint ${endpoint} is reached through Chat Completions only; send messages to /chat/completions.`,
      )
    const translator = format(call.body)
    const input = {
      EndpointName: endpoint,
      InferenceComponentName: options.inferenceComponent,
      TargetVariant: options.targetVariant,
      ContentType: 'application/json',
      Accept: 'application/json',
      Body: JSON.stringify(translator.payload),
    }
    return { translator, input }
  }

  async function whole(
    input: InvokeEndpointCommandInput,
    translator: ChatTranslator,
    { signal }: UpstreamCall,
  ): Promise<Refused> {
    const client = await loading
    const answer = await client.invoke(input, signal).catch((error: unknown) => refusedByContainer(error, endpoint))
    if ('status' in answer) return answer
    return { status: 200, body: translator.whole(new TextDecoder().decode(answer.Body)) }
  }

  async function stream(
    { Accept: _, ...input }: InvokeEndpointCommandInput,
    translator: ChatTranslator,
    { res, signal }: UpstreamCall,
  ): Promise<Refused | undefined> {
    const client = await loading
    const answer = await client.stream(input, signal).catch((error: unknown) => refusedByContainer(error, endpoint))
    if ('status' in answer) return answer
    if (!answer.Body) throw upstreamUnavailable(`The chat endpoint ${endpoint} opened a stream without a body.`)
    res.statusCode = 200
    res.setHeader('content-type', 'text/event-stream; charset=utf-8')
    res.setHeader('cache-control', 'no-cache')
    try {
      for await (const event of translator.events(eventJson(answer.Body))) {
        await write(res, event, signal)
        if (signal.aborted || res.destroyed) return undefined
      }
    } catch (error) {
      if (error instanceof LlamaGuardError) throw error
      // The SDK throws the exceptions of a stream as errors of their own class, whose name says more.
      const { name, ErrorCode: code } = error as { name?: string; ErrorCode?: string }
      const why = name === 'ModelStreamError' || name === 'InternalStreamFailure' ? ` (${code ?? name})` : ''
      throw upstreamUnavailable(`The chat endpoint ${endpoint} broke off in the middle of its reply${why}.`, {
        cause: withoutWords(error),
      })
    }
    res.end()
    return undefined
  }

  async function close(): Promise<void> {
    await Promise.allSettled(open)
    if (openAi !== undefined) await closeLoaded(openAi)
    await closeLoaded(loading)
  }

  return { forward, close }
}

// Many clients list models first. They get a list with this endpoint as its one model.
function listModels(call: UpstreamCall, endpoint: string): Promise<void> {
  reply(
    call,
    200,
    JSON.stringify({ object: 'list', data: [{ id: endpoint, object: 'model', created: 0, owned_by: 'sagemaker' }] }),
  )
  return Promise.resolve()
}

function reply({ res }: UpstreamCall, status: number, body: string): void {
  res.statusCode = status
  res.setHeader('content-type', 'application/json; charset=utf-8')
  res.end(body)
}

function pathOf({ path }: UpstreamCall): string {
  return path.split('?', 1)[0] ?? ''
}
