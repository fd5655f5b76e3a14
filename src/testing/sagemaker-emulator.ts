// The emulated SageMaker endpoint as the users of this package see it: few options, and an environment to start an app
// in. The whole emulator is in emulator/.
import { startEmulator } from './emulator/index.js'
import type { Asked } from './emulator/model.js'

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
 * SDK. It answers as text-generation-inference does, and refuses what AWS refuses: an unknown endpoint, another key or
 * region than those of `env`, parameters the container does not take. The signature itself is not computed.
 */
export async function sageMakerEmulator(options: SageMakerEmulatorOptions = {}): Promise<SageMakerEmulator> {
  const { port, endpoint = 'llama-guard', answer, delayMs } = options
  const { url, conversations, close, ...started } = await startEmulator({
    port,
    endpoints: [endpoint],
    latencyMs: delayMs,
    model: answer && ((asked) => ({ text: answer(asked.turns.at(-1)?.text ?? '', asked) })),
  })
  return {
    url,
    port: started.port,
    endpoint,
    env: { ...started.env, LLAMA_GUARD_ENDPOINT: endpoint },
    conversations,
    close,
  }
}
