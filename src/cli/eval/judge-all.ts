// Judges every row once: with concurrency, retries, and a file that remembers what is done, so that an
// interrupted run goes on where it stopped.
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { isLlamaGuardError, toLlamaGuardError } from '../../errors.js'
import type { ModelName } from '../../guard/prompt/index.js'
import type { Conversation, JudgeOptions, Verdict } from '../../types.js'
import type { Row } from './rows.js'

/** The guard under test. Named, because a verdict remembered for one guard says nothing about another. */
export interface Candidate {
  readonly name: string
  /** Whose taxonomy it names categories in. Default: that of Llama Guard 1. */
  readonly model?: ModelName
  judge(conversation: Conversation, options: JudgeOptions): Promise<Verdict>
}

export interface Answer {
  readonly safe: boolean
  readonly score?: number
  readonly categories: readonly string[]
  /** Absent where nobody waited for the one answer, as in a batch. */
  readonly ms?: number
}

/** What came of a row: an answer, or the code of the error after the last try. */
export type Outcome = Answer | { readonly failed: string }

export interface JudgeAllOptions {
  readonly concurrency: number
  /** Tries a row, the first included. */
  readonly attempts: number
  readonly resumeFile?: string
  readonly signal?: AbortSignal
  onProgress?(done: number, total: number): void
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 20_000

/** Stands for a conversation in the resume file, which so holds no chat content. */
export function keyOf(judge: Candidate, conversation: Conversation): string {
  return createHash('sha256')
    .update(JSON.stringify([judge.name, conversation]))
    .digest('base64url')
    .slice(0, 27)
}

/** Answers of earlier runs. A last line cut short by the interrupt is judged again. */
export function remembered(file: string | undefined): Map<string, Answer> {
  const answers = new Map<string, Answer>()
  if (file === undefined || !existsSync(file)) return answers
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    try {
      const { key, safe, score, categories, ms } = JSON.parse(line) as Answer & { key: string }
      if (typeof key === 'string' && typeof safe === 'boolean' && Array.isArray(categories))
        answers.set(key, { safe, score, categories, ms })
    } catch {
      continue
    }
  }
  return answers
}

async function ask(judge: Candidate, row: Row, { attempts, signal }: JudgeAllOptions): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    const start = performance.now()
    try {
      const { safe, score, categories } = await judge.judge(row.conversation, {
        signal,
        stage: row.conversation.at(-1)?.role === 'Agent' ? 'output' : 'input',
      })
      return { safe, score, categories, ms: performance.now() - start }
    } catch (error) {
      const { code } = toLlamaGuardError(error, 'guard_error')
      // What the guard can never judge does not get better by asking again; an error of unknown kind may.
      const hopeless =
        isLlamaGuardError(error) &&
        !error.retryable &&
        code !== 'guard_timeout' &&
        code !== 'guard_throttled' &&
        code !== 'guard_unavailable'
      if (signal?.aborted || hopeless || attempt >= attempts) return { failed: code }
      await wait(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1)), undefined, { signal }).catch(
        () => undefined,
      )
    }
  }
}

/**
 * Outcomes in the order of the rows. Equal conversations are judged once. Rows not reached before an abort
 * are absent (`undefined`).
 */
export async function judgeAll(
  rows: readonly Row[],
  judge: Candidate,
  options: JudgeAllOptions,
): Promise<readonly (Outcome | undefined)[]> {
  const known: Map<string, Outcome> = remembered(options.resumeFile)
  const keys = rows.map(({ conversation }) => keyOf(judge, conversation))
  const waiting = new Map(
    rows.map((row, index) => [keys[index] ?? '', row] as const).filter(([key]) => !known.has(key)),
  )
  const queue = waiting.entries()
  const total = waiting.size
  let done = 0
  const worker = async (): Promise<void> => {
    for (const [key, row] of queue) {
      if (options.signal?.aborted) return
      const outcome = await ask(judge, row, options)
      if (options.signal?.aborted && 'failed' in outcome) return
      known.set(key, outcome)
      // Written at once and synchronously: an interrupt between two rows loses nothing. The line break leads,
      // so that a cut line spoils no other.
      if (options.resumeFile !== undefined && !('failed' in outcome))
        appendFileSync(options.resumeFile, `\n${JSON.stringify({ key, ...outcome })}`)
      options.onProgress?.(++done, total)
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, options.concurrency) }, worker))
  return keys.map((key) => known.get(key))
}
