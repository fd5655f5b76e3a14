// A guard of known mind: unsafe is what holds a marker, and it keeps what it was asked. For the real SDK see
// test/emulator.
import type { Conversation, Guard, Verdict } from '../../src/types.js'
import { sleep } from './http.js'

export const CATEGORIES = [
  { id: 'O1', name: 'Violence and Hate' },
  { id: 'O3', name: 'Criminal Planning' },
] as const

export interface MarkerGuard extends Guard {
  readonly asked: Conversation[]
  /** Texts of the judged turns. */
  texts(): string[]
}

export interface MarkerOptions {
  /** Milliseconds before each answer. */
  delay?: number | (() => number)
  marker?: RegExp
  verdict?: Partial<Verdict>
  onAnswer?(conversation: Conversation, verdict: Verdict): void
}

/** Unsafe O3 when the last turn holds UNSAFE; throws when it holds BROKEN. */
export function markerGuard({ delay = 0, marker = /UNSAFE/, verdict, onAnswer }: MarkerOptions = {}): MarkerGuard {
  const asked: Conversation[] = []
  return {
    model: 'marker',
    categories: CATEGORIES,
    asked,
    texts: () => asked.map((conversation) => conversation.at(-1)!.text),
    async judge(conversation): Promise<Verdict> {
      asked.push(conversation)
      const ms = typeof delay === 'function' ? delay() : delay
      if (ms > 0) await sleep(ms)
      const { text } = conversation.at(-1)!
      if (text.includes('BROKEN')) throw new Error('the marker guard is broken')
      const answer: Verdict = marker.test(text)
        ? { safe: false, categories: ['O3'], ...verdict }
        : { safe: true, categories: [], ...verdict }
      onAnswer?.(conversation, answer)
      return answer
    },
  }
}

/**
 * Waits, for a handler between two writes, until the guard has been asked about the words of the first: on a busy machine
 * both would come in one window. Gives up after five seconds.
 */
export async function heard(guard: MarkerGuard, words = ''): Promise<void> {
  const end = performance.now() + 5000
  while (!guard.texts().some((text) => text.includes(words.trim())) && performance.now() < end) await sleep(5)
  await sleep(30)
}

/** Swallows log lines and keeps them. */
export function memoryLogger(): {
  lines: { level: string; fields: Record<string, unknown>; message: string | undefined }[]
  debug: LogMethod
  info: LogMethod
  warn: LogMethod
  error: LogMethod
} {
  const lines: { level: string; fields: Record<string, unknown>; message: string | undefined }[] = []
  const at =
    (level: string): LogMethod =>
    (fields, message) =>
      void lines.push({ level, fields: fields as Record<string, unknown>, message })
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

type LogMethod = (fields: object, message?: string) => void
