// A GGUF model held in memory by llama.cpp, and its sequences, each of which runs one call. llama.cpp silently drops
// the beginning of a prompt that is too long, which is the policy. This file refuses such a prompt instead.
import { availableParallelism } from 'node:os'
import type { Llama, LlamaContext, LlamaContextSequence, LlamaModel, Token } from 'node-llama-cpp'
import { guardError, guardRejected, isLlamaGuardError, LlamaGuardError } from '../../../types/errors.js'
import { type AbortSignalLike, NOBODY_WAITS, reasonOf } from '../../../utils/deadline.js'
import { ALTERNATIVES, type Completion, type GeneratedToken, type TokenLogprob } from '../../answer/completion.js'

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
      throw guardError('llama.cpp failed to run the guard model. Is there memory left, and is the file whole?', {
        cause: error,
      })
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

interface Generation {
  readonly context: LlamaContext
  readonly sequence: LlamaContextSequence
  readonly tokens: readonly Token[]
  readonly maxNewTokens: number
  readonly logprobs: boolean
  /** Called between two batches. It throws when nobody waits for the answer any more. */
  readonly goOn: () => void
}

async function generate(o: Generation): Promise<Completion> {
  const { context, sequence, tokens, maxNewTokens, logprobs, goOn } = o
  const { model } = context
  let next = await unread(sequence, tokens)
  // llama.cpp cannot be stopped inside a batch, but it can between two batches.
  for (; next.length > context.batchSize; next = next.slice(context.batchSize)) {
    goOn()
    await sequence.evaluateWithoutGeneratingNewTokens(next.slice(0, context.batchSize))
  }
  const answer: Token[] = []
  const generated: GeneratedToken[] = []
  let text = ''
  const completion = (finishReason: 'stop' | 'length'): Completion => ({
    text,
    finishReason,
    usage: { input: tokens.length, output: answer.length },
    ...(logprobs && { tokens: generated }),
  })
  while (answer.length < maxNewTokens) {
    goOn()
    // The alternatives are requested only at the token where the two words part, because each request lists the
    // whole vocabulary.
    const { token, confidence, probabilities } = await step(sequence, next, logprobs && text.trim() === '')
    if (model.isEogToken(token)) return completion('stop')
    const piece = model.detokenize([token], false, answer)
    generated.push({
      text: piece,
      logprob: Math.log(confidence),
      ...(probabilities && { top: likeliest(model, probabilities) }),
    })
    answer.push(token)
    text = model.detokenize(answer)
    next = [token]
  }
  return completion('length')
}

/**
 * The tokens that the sequence has not read yet, at least the last one. Every prompt begins with the same policy, and
 * reading it is most of the work.
 */
async function unread(sequence: LlamaContextSequence, tokens: readonly Token[]): Promise<Token[]> {
  await sequence.adaptStateToTokens(tokens.slice(0, -1), false)
  return tokens.slice(sequence.nextTokenIndex)
}

interface Step {
  readonly token: Token
  readonly confidence: number
  readonly probabilities?: ReadonlyMap<Token, number>
}

async function step(sequence: LlamaContextSequence, tokens: Token[], probabilities: boolean): Promise<Step> {
  const options = { temperature: 0, yieldEogToken: true }
  const steps = probabilities
    ? sequence.evaluateWithMetadata(tokens, { confidence: true, probabilities: true }, options)
    : sequence.evaluateWithMetadata(tokens, { confidence: true }, options)
  for await (const one of steps) return one
  throw new Error('llama.cpp gave no token')
}

function likeliest(model: LlamaModel, probabilities: ReadonlyMap<Token, number>): TokenLogprob[] {
  const top: TokenLogprob[] = []
  for (const [token, probability] of probabilities) {
    if (top.length === ALTERNATIVES || !(probability > 0)) break
    top.push({ text: model.detokenize([token]), logprob: Math.log(probability) })
  }
  return top
}

function loadError(error: unknown): LlamaGuardError {
  return guardRejected(
    `llama.cpp could not load the guard model: ${error instanceof Error ? error.message : String(error)}. Its reason ` +
      'is on stderr. Check that the file is whole, that the memory is enough for it (a more quantised file, ' +
      '`concurrency` 1), and that node-llama-cpp has a binary for this machine and is new enough for the file.',
    { cause: error },
  )
}
