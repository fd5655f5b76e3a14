// The emulator's own vocabulary: what a test can ask it and tell it. Types only.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AwsError } from '../../src/testing/aws.js'
import type { Answer, Asked } from '../../src/testing/model.js'
import type { Body } from '../../src/testing/tgi.js'
import type { Container, LabelScore } from './containers.js'
import type { CopyCounts, Timing } from './fleet.js'

/** What runs behind one endpoint instead of a Llama Guard. */
export type Served =
  { readonly generates: (prompt: string) => Answer } | { readonly classifies: (text: string) => readonly LabelScore[] }

export interface EmulatorOptions {
  /** 0 (the default) takes a free one. */
  port?: number
  /** Names it answers to; any other is a ValidationError, as on AWS. Default: `llama-guard`. */
  endpoints?: readonly string[]
  /** Whose request rules and response shape. Default: `tgi` (Text Generation Inference 2.0). */
  container?: Container
  /** Prompt and answer together, in tokens of four characters. Default: 131072, as Llama Guard 3. */
  contextTokens?: number
  /** The model. Default: marker words, see `model.ts`. */
  model?: (asked: Asked) => Answer
  /** Other guard models, by endpoint: a text generator that reads the whole prompt, or a text classifier. */
  serves?: Readonly<Record<string, Served>>
  /** Milliseconds every answer takes. Default: 0. */
  latencyMs?: number
  /**
   * How far the clock of the server is ahead of ours, in milliseconds, and what it calls a signature of another
   * time. Default: 0, `InvalidSignatureException`.
   */
  clock?: { readonly aheadMs: number; readonly error?: string }
  /** A model whose time follows its tokens, in one copy or more. Default: none. */
  timing?: Timing
}

/** One request as it arrived. `asked` is what the model made of the prompt: the turns it saw. */
export interface Received {
  readonly endpoint: string
  readonly headers: IncomingMessage['headers']
  readonly raw: string
  readonly body: Body | undefined
  readonly prompt: string | undefined
  readonly asked: Asked | undefined
}

/** One request in the hands of a {@link Behaviour}. */
export interface Call extends Received {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Answers as the model and the container would, or with the given answer. */
  answer(instead?: Answer): void
  /** Answers with an AWS error. */
  fail(error: AwsError): void
  /** Sends this JSON, or text as it is, with status 200. */
  send(body: unknown, contentType?: string): void
  /** JSON text of the normal answer. */
  normal(): string
}

/** What happens instead of an answer. May answer late, wrongly or never. */
export type Behaviour = (call: Call) => void | Promise<void>

export interface BehaveOptions {
  /** How many calls it applies to. Default: all. */
  times?: number
  /** Only these calls. */
  when?: (received: Received) => boolean
}

export interface Emulator {
  readonly url: string
  readonly port: number
  readonly endpoint: string
  /** Environment for the AWS SDK, see {@link emulatorEnv}. */
  readonly env: Record<string, string>
  /** Every signed request for a known endpoint, oldest first. */
  readonly requests: readonly Received[]
  /** What each copy was asked, with `timing`. */
  readonly copies: readonly CopyCounts[]
  /** Most requests that were open at the same time. */
  readonly peak: number
  /** The conversations the model saw, oldest first. */
  conversations(): Asked[]
  /** Queues a behaviour. The oldest queued one that applies is used; when none applies, the model answers. */
  behave(behaviour: Behaviour, options?: BehaveOptions): void
  /** Forgets behaviours and requests. */
  reset(): void
  close(): Promise<void>
}
