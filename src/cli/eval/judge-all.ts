// Judges every row once, several at a time and with retries. A file remembers the answers, so that an interrupted run
// goes on where it stopped.
import { hash } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { invalidOption, isLlamaGuardError, toLlamaGuardError } from '../../types/errors.js'
import type { Conversation, JudgeOptions, Verdict } from '../../types.js'
import { pause } from '../io.js'
import type { Row } from './rows.js'

/** The guard under test. It has a name, because a verdict of one guard says nothing about another. */
export interface Candidate {
  readonly name: string
  /** The score from which it finds a text unsafe. Default: its own word decides. */
  readonly threshold?: number
  judge(conversation: Conversation, options: JudgeOptions): Promise<Verdict>
}

export interface Answer {
  readonly safe: boolean
  readonly score?: number
  readonly categories: readonly string[]
  /** Milliseconds of a judgement that had no neighbour. Undefined for the others, which wait for each other. */
  readonly ms?: number
}

/** The answer for a row, or the code of the error after the last try. */
export type Outcome = Answer | { readonly failed: string }

export interface JudgeAllOptions {
  readonly concurrency: number
  readonly resumeFile?: string
  readonly signal?: AbortSignal
  onProgress?(done: number, total: number): void
}

/** The most times a row is tried, and the pause before the second try, which doubles. */
const ATTEMPTS = 3
const FIRST_PAUSE_MS = 500

/** The hash that stands for a conversation in the resume file, so that the file holds no chat content. */
export function keyOf(judge: Candidate, conversation: Conversation): string {
  return hash('sha256', JSON.stringify([judge.name, conversation]), 'base64url').slice(0, 27)
}

/** A line of the resume file. The break comes first, so that a line that was cut does not spoil the next one. */
export const lineOf = (key: string, answer: Answer): string => `\n${JSON.stringify({ key, ...answer })}`

/**
 * The answers of earlier runs. The row of a last line that an interrupt has cut is judged again.
 * @throws LlamaGuardError `invalid_option` for a file of something else, to which no verdict must be added.
 */
export function remembered(file: string | undefined): Map<string, Answer> {
  const answers = new Map<string, Answer>()
  if (file === undefined || !existsSync(file)) return answers
  const text = readFileSync(file, 'utf8')
  if (!/^\s*(?:$|\{"key":)/.test(text))
    throw invalidOption(
      `--resume names ${file}, which holds no verdicts of eval. Name a new file, or that of a run before.`,
    )
  for (const line of text.split('\n'))
    try {
      const { key, safe, score, categories, ms } = JSON.parse(line) as Answer & { key: string }
      if (typeof key === 'string' && typeof safe === 'boolean' && Array.isArray(categories))
        answers.set(key, { safe, score, categories, ms })
    } catch {
      continue
    }
  return answers
}

/** So many rows are judged one at a time before the rest, to time a judgement without the queue of its neighbours. */
const ALONE = 30

async function ask(judge: Candidate, row: Row, { signal }: JudgeAllOptions, alone: boolean): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    const start = performance.now()
    try {
      const { safe, score, categories } = await judge.judge(row.conversation, {
        signal,
        stage: row.conversation.at(-1)?.role === 'Agent' ? 'output' : 'input',
      })
      return { safe, score, categories, ...(alone && { ms: performance.now() - start }) }
    } catch (error) {
      const { code } = toLlamaGuardError(error, 'guard_error')
      // Asking again does not help with a text that the guard can never judge. It may help with an unknown error.
      const hopeless =
        isLlamaGuardError(error) &&
        !error.retryable &&
        code !== 'guard_timeout' &&
        code !== 'guard_throttled' &&
        code !== 'guard_unavailable'
      if (signal?.aborted || hopeless || attempt >= ATTEMPTS) return { failed: code }
      await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1), signal)
    }
  }
}

/**
 * Returns the outcomes in the order of the rows. Equal conversations are judged once. The outcome of a row that was
 * not reached before an abort is undefined.
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
  const worker = async (most: number): Promise<void> => {
    for (let count = 0; count < most && !options.signal?.aborted; count++) {
      const next = queue.next()
      if (next.done === true) return
      const [key, row] = next.value
      const outcome = await ask(judge, row, options, most === ALONE)
      if (options.signal?.aborted && 'failed' in outcome) return
      known.set(key, outcome)
      // The line is written at once and synchronously, so that an interrupt between two rows loses nothing.
      if (options.resumeFile !== undefined && !('failed' in outcome))
        appendFileSync(options.resumeFile, lineOf(key, outcome))
      options.onProgress?.(++done, total)
    }
  }
  await worker(ALONE)
  await Promise.all(Array.from({ length: Math.max(1, options.concurrency) }, () => worker(Number.POSITIVE_INFINITY)))
  return keys.map((key) => known.get(key))
}
