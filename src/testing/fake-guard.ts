// A guard without a model, for the tests of an app: it finds unsafe what a pattern or a function finds unsafe.
import { setTimeout as sleep } from 'node:timers/promises'
import { invalidOption } from '../types/errors.js'
import type { Category, Conversation, Guard, JudgeOptions, Verdict } from '../types.js'

export interface FakeGuardOptions {
  /**
   * What is unsafe in the last turn of a conversation. A RegExp: every text it matches, as S1. A function: gets the
   * text, returns the ids it violates, none for a safe one; one that throws is a guard that fails. Default: `/UNSAFE/`.
   */
  readonly unsafe?: RegExp | ((text: string) => readonly string[] | Promise<readonly string[]>)
  /** Milliseconds before each verdict. Default: 0. */
  readonly delayMs?: number
}

export interface FakeGuard extends Guard {
  /** Every conversation it was asked about, oldest first. The last turn of each is the judged one. */
  readonly asked: readonly Conversation[]
}

/** Those of Llama Guard 3, so that a 451 reads as it does in production. */
const NAMES =
  'Violent Crimes, Non-Violent Crimes, Sex-Related Crimes, Child Sexual Exploitation, Defamation, Specialized ' +
  'Advice, Privacy, Intellectual Property, Indiscriminate Weapons, Hate, Suicide & Self-Harm, Sexual Content, ' +
  'Elections, Code Interpreter Abuse'
const CATEGORIES: readonly Category[] = NAMES.split(', ').map((name, index) => ({ id: `S${index + 1}`, name }))

/**
 * For `llamaGuard({ guard: fakeGuard() })` in a test: no network, no credentials, the same verdict for the same text.
 * Throws `invalid_option` for an `unsafe` that is neither a RegExp nor a function.
 */
export function fakeGuard({ unsafe = /UNSAFE/, delayMs = 0 }: FakeGuardOptions = {}): FakeGuard {
  const violated = asFunction(unsafe)
  const asked: Conversation[] = []
  return {
    model: 'fake-guard',
    categories: CATEGORIES,
    asked,
    async judge(conversation, { signal }: JudgeOptions = {}): Promise<Verdict> {
      asked.push(conversation)
      // Rejects when nobody waits for the verdict any more.
      if (delayMs > 0) await sleep(delayMs, undefined, { signal }).catch(() => signal?.throwIfAborted())
      const categories = await violated(conversation.at(-1)?.text ?? '')
      return { safe: categories.length === 0, categories }
    },
  }
}

function asFunction(unsafe: unknown): Exclude<FakeGuardOptions['unsafe'], RegExp | undefined> {
  if (typeof unsafe === 'function') return unsafe as (text: string) => readonly string[]
  // `search`, because `test` on a global or sticky expression goes on where the last text ended.
  if (unsafe instanceof RegExp) return (text) => (text.search(unsafe) === -1 ? [] : ['S1'])
  throw invalidOption(
    `fakeGuard() got \`unsafe\` as ${typeof unsafe}. Give it a RegExp, or a function from a text to category ids.`,
  )
}
