// A GGUF model held in memory by llama.cpp, and its sequences, each of which runs one call. llama.cpp silently drops
// the beginning of a prompt that is too long, which is the policy. This file refuses such a prompt instead.
import { availableParallelism } from 'node:os'
import type { Llama, LlamaContext, LlamaModel, Token } from 'node-llama-cpp'
import { isLlamaGuardError, LlamaGuardError } from '../../../errors.js'
import type { AbortSignalLike } from '../../../utils/lazy-abort-controller.js'
import type { Completion } from '../../answer/completion.js'
import { NOBODY_WAITS, reasonOf } from '../../deadline.js'
import { generate } from './generate.js'
import { loadError } from './load-error.js'

export interface LoadOptions {
  readonly path: string
  /** How many calls may run side by side. */
  readonly sequences: number
  readonly contextTokens: number
  readonly maxNewTokens: number
}

export interface LoadedModel {
  /** The caller must run at most `sequences` calls at once. */
  generate(
    prompt: string,
    options: { readonly logprobs: boolean; readonly signal: AbortSignalLike },
  ): Promise<Completion>
  close(): Promise<void>
}

/** @throws LlamaGuardError `guard_rejected`, which says what to do. */
export async function loadModel({ path, sequences, contextTokens, maxNewTokens }: LoadOptions): Promise<LoadedModel> {
  let llama: Llama | undefined
  try {
    const { getLlama, LlamaLogLevel } = await import('node-llama-cpp')
    // `build: 'never'` and `skipDownload`: a web server must not start a compiler or a download. llama.cpp writes its
    // reasons for refusing a file to stderr only.
    llama = await getLlama({ build: 'never', skipDownload: true, progressLogs: false, logLevel: LlamaLogLevel.error })
    const model = await llama.loadModel({ modelPath: path })
    const context = await model.createContext({
      sequences,
      contextSize: { max: contextTokens },
      threads: threadsFor(llama),
    })
    return held(llama, context, sequences, maxNewTokens)
  } catch (error) {
    await llama?.dispose()
    throw loadError(error)
  }
}

/**
 * The threads of llama.cpp spin while they wait for each other. One thread more than there are free cores makes them
 * a hundred times slower, and Node.js needs one core too.
 */
function threadsFor({ cpuMathCores }: Llama): number {
  return Math.max(1, Math.min(cpuMathCores, availableParallelism() - 1))
}

function held(llama: Llama, context: LlamaContext, sequences: number, maxNewTokens: number): LoadedModel {
  const { model } = context
  const idle = Array.from({ length: sequences }, () => context.getSequence())
  const running = new Set<Promise<unknown>>()
  let closed = false

  function goOn(signal: AbortSignalLike): void {
    if (closed) throw NOBODY_WAITS
    if (signal.aborted) throw reasonOf(signal)
  }

  async function checked(prompt: string, logprobs: boolean, signal: AbortSignalLike): Promise<Completion> {
    const tokens = tokenize(model, prompt)
    if (tokens.length + maxNewTokens > context.contextSize)
      throw tooLong(tokens.length, context.contextSize - maxNewTokens)
    const sequence = idle.pop()
    if (sequence === undefined)
      throw new LlamaGuardError('internal_error', `More than ${sequences} calls came to the guard model at once.`)
    try {
      return await generate({ context, sequence, tokens, maxNewTokens, logprobs, goOn: () => goOn(signal) })
    } catch (error) {
      if (isLlamaGuardError(error)) throw error
      await sequence.clearHistory().catch(() => undefined)
      throw new LlamaGuardError(
        'guard_error',
        'llama.cpp failed to run the guard model. Is there memory left, and is the file whole?',
        { cause: error },
      )
    } finally {
      idle.push(sequence)
    }
  }

  return {
    async generate(prompt, { logprobs, signal }) {
      if (closed) throw NOBODY_WAITS
      const run = checked(prompt, logprobs, signal)
      running.add(run)
      try {
        return await run
      } finally {
        running.delete(run)
      }
    },
    async close() {
      closed = true
      await Promise.allSettled(running)
      await context.dispose()
      await model.dispose()
      await llama.dispose()
    },
  }
}

/**
 * Special tokens in the text become special tokens: the template's are intended, and those of users were broken when
 * the prompt was rendered. A rendered prompt has no beginning-of-sequence token.
 */
function tokenize(model: LlamaModel, prompt: string): Token[] {
  const tokens = model.tokenize(prompt, true)
  const { bos, shouldPrependBosToken } = model.tokens
  return shouldPrependBosToken && bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens
}

function tooLong(tokens: number, room: number): LlamaGuardError {
  return new LlamaGuardError(
    'guard_input_too_long',
    `A prompt of ${tokens} tokens came to a guard model with room for ${room}.`,
  )
}
