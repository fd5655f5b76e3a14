// A Llama Guard model in this process: a GGUF file, run by llama.cpp through the optional package node-llama-cpp.
// This file loads the model once, limits how many judgements run at once, and keeps deadlines. model.ts runs the
// model.
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { invalidOption, LlamaGuardError } from '../../../types/errors.js'
import { orAbort, reasonOf, within } from '../../../utils/deadline.js'
import { requirePackage } from '../../../utils/installed.js'
import type { Complete, Completer } from '../../answer/completion.js'
import { FairQueue } from '../../resilience/admission.js'
import { type LoadedModel, loadModel } from './model.js'

export interface LlamaCppOptions {
  /**
   * Path of a Llama Guard model in GGUF, for example a quantised `Llama-Guard-3-1B.Q4_K_M.gguf`. Text models only,
   * because images would go unseen.
   */
  readonly modelPath: string
  /**
   * The most calls accepted at once. The first {@link MOST_SEQUENCES} run side by side, each with a context of its
   * own in memory; the others wait. One more call is `guard_overloaded`.
   */
  readonly concurrency: number
  /**
   * Milliseconds one call may take, waiting included. A later answer is `guard_timeout`, or `guard_not_ready` while
   * the model still loads. The load goes on.
   */
  readonly timeoutMs: number
  /**
   * The most tokens of prompt and answer that one call may take. The model or the memory may allow fewer. Default:
   * 8192.
   */
  readonly contextTokens?: number
  /** The most tokens of an answer. Default: 32. */
  readonly maxNewTokens?: number
}

/**
 * Few sequences already use all cores of a machine or its one GPU. More would only share them, and each would take 32
 * KiB (1B model) to 128 KiB (8B model) of memory per token.
 */
export const MOST_SEQUENCES = 4
/** Seconds after which a client should ask again: a small model on a cold disk is loaded by then. */
const LOADING_SECONDS = 5
/** A call gives up this early while the model loads, so that its reason comes before the judge's own deadline. */
const LOADING_SHARE = 0.9
const NEWEST_GGUF = 3

/**
 * Completes raw prompts, greedily, with a GGUF model in this process. The file is loaded by the first call.
 *
 * Needs the package `node-llama-cpp`, which brings binaries for common platforms. Nothing is downloaded or
 * compiled at run time.
 *
 * @throws LlamaGuardError `dependency_missing` now when the package is missing, `invalid_option` when there is no
 * such file or it is no GGUF; later `guard_rejected` when the file cannot be loaded (the next call tries again),
 * `guard_input_too_long`, `guard_overloaded`, `guard_timeout`, `guard_error`.
 */
export function llamaCppComplete(o: LlamaCppOptions): Completer {
  const path = resolve(o.modelPath)
  const size = sizeOf(path)
  requirePackage('llama-cpp', 'node-llama-cpp')
  const sequences = Math.min(o.concurrency, MOST_SEQUENCES)
  const slots = new FairQueue({ concurrency: sequences, queue: o.concurrency - sequences })
  let loading: Promise<LoadedModel> | undefined
  let state: 'unloaded' | 'ready' | 'closed' = 'unloaded'

  const load = (): Promise<LoadedModel> => {
    if (state === 'closed') throw closed()
    loading ??= loadModel({
      path,
      sequences,
      contextTokens: o.contextTokens ?? 8192,
      maxNewTokens: o.maxNewTokens ?? 32,
    }).then(
      (model) => {
        if (state === 'unloaded') state = 'ready'
        return model
      },
      (error: unknown) => {
        loading = undefined
        throw error
      },
    )
    return loading
  }
  const late = (): LlamaGuardError => (state === 'ready' ? tooLate(o.timeoutMs) : stillLoading(o.timeoutMs))

  const complete: Complete = (prompt, { signal, logprobs }) =>
    within({ ms: state === 'ready' ? o.timeoutMs : o.timeoutMs * LOADING_SHARE, late, signal }, (inner) => {
      // The slot is held until the model has really stopped, the caller only until the deadline.
      const run = slots.run({}, inner, async () => {
        const model = await orAbort(inner, load)
        if (inner.aborted) throw reasonOf(inner)
        return model.generate(prompt, { logprobs, signal: inner })
      })
      if (run === undefined) throw overloaded(o.concurrency)
      return run
    })
  return Object.assign(complete, {
    close: async () => {
      state = 'closed'
      await (await loading?.catch(() => undefined))?.close()
    },
    identity: JSON.stringify(['llama-cpp', path, size]),
  })
}

/**
 * The size of the file, after a check that it begins with the first eight bytes of a GGUF. node-llama-cpp would read
 * any other file for minutes, until the memory is full.
 */
function sizeOf(path: string): number {
  const file = statSync(path, { throwIfNoEntry: false })
  if (!file?.isFile()) throw invalid(`There is no file ${JSON.stringify(path)}.`)
  const start = Buffer.alloc(8)
  const descriptor = openSync(path, 'r')
  readSync(descriptor, start)
  closeSync(descriptor)
  const version = start.readUInt32LE(4)
  if (start.toString('latin1', 0, 4) !== 'GGUF' || version < 2 || version > NEWEST_GGUF)
    throw invalid(`The file ${JSON.stringify(path)} is no GGUF of version 2 or ${NEWEST_GGUF}.`)
  return file.size
}

const invalid = (what: string): LlamaGuardError =>
  invalidOption(`${what} Set LLAMA_GUARD_MODEL_ID, or the option \`guardModel\`, to a Llama Guard model in GGUF.`)
const closed = (): LlamaGuardError =>
  new LlamaGuardError('guard_unavailable', 'The guard model was closed. Make a new guard to judge again.')
const tooLate = (ms: number): LlamaGuardError =>
  new LlamaGuardError(
    'guard_timeout',
    `The guard model did not answer within ${ms} ms. Use a smaller or more quantised model, a GPU, or ` +
      'a larger timeoutMs.',
  )
const stillLoading = (ms: number): LlamaGuardError =>
  new LlamaGuardError(
    'guard_not_ready',
    `The guard model was not loaded within ${ms} ms. It loads on, and later calls will find it.`,
    { retryAfter: LOADING_SECONDS },
  )
const overloaded = (calls: number): LlamaGuardError =>
  new LlamaGuardError(
    'guard_overloaded',
    `${calls} calls already run in the guard model or wait for it. Add machines, or use a smaller model.`,
  )
