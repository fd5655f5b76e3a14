// Guards that answer what a test tells them to, and judges around them with plain defaults.
import { createJudge, type Judge, type JudgeSettings } from '../../src/guard/index.js'
import type { Conversation, Guard, JudgeOptions, Verdict } from '../../src/types.js'
import { isLlamaGuardError, type LlamaGuardError } from '../../src/types/errors.js'

export const SAFE: Verdict = { safe: true, categories: [] }
export const UNSAFE: Verdict = { safe: false, categories: ['O3'] }

export const says = (text: string): Conversation => [{ role: 'User', text }]
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
export const never = (): Promise<never> => new Promise(() => undefined)

export interface CountingGuard extends Guard {
  readonly calls: { conversation: Conversation; options: JudgeOptions }[]
}

/** A guard that counts its calls. `answer` gets the number of the call, from 1. */
export function guardThat(
  answer: (call: number, conversation: Conversation, options: JudgeOptions) => unknown,
  rest: Partial<Guard> = {},
): CountingGuard {
  const calls: CountingGuard['calls'] = []
  return {
    model: 'fake',
    identity: 'fake',
    calls,
    async judge(conversation, options) {
      calls.push({ conversation, options })
      return (await answer(calls.length, conversation, options)) as Verdict
    },
    ...rest,
  }
}

/** A guard that always answers the same. */
export const guardSaying = (answer: unknown, rest?: Partial<Guard>): CountingGuard => guardThat(() => answer, rest)

export function judgeOf(guard: Guard, rest: Partial<JudgeSettings> = {}): Judge {
  return createJudge({
    guard,
    policyHash: 'p1',
    blocks: (verdict) => !verdict.safe,
    timeoutMs: 10_000,
    maxAttempts: 2,
    concurrency: 64,
    queue: 2000,
    breaker: true,
    cacheMax: 1000,
    cacheTtlMs: 60_000,
    ...rest,
  })
}

/** `safe`, `unsafe` or the error code. */
export async function outcome(judge: Judge, conversation: Conversation, signal?: AbortSignal): Promise<string> {
  const judgement = await judge.judge(conversation, { stage: 'input', ...(signal && { signal }) })
  return 'error' in judgement ? judgement.error.code : judgement.verdict.safe ? 'safe' : 'unsafe'
}

/** The error of work that must fail with one of ours. */
export async function failure(work: Promise<unknown>): Promise<LlamaGuardError> {
  const error: unknown = await work.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  )
  if (!isLlamaGuardError(error)) throw error
  return error
}

/** The error that this throws, which must be one of ours. */
export function thrownBy(run: () => unknown): LlamaGuardError {
  try {
    run()
  } catch (error) {
    if (isLlamaGuardError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
