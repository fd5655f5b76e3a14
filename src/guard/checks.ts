// Counts the guard calls of one request, and waits until enough of them are answered.
import type { Conversation, Guard, Judgement, Stage } from '../types.js'
import type { VerdictCache } from './cache/index.js'
import { checksOf } from './panel.js'
import { tooMany } from './pieces.js'

/** One piece of a conversation, and its key in the verdict cache. */
export interface Question {
  readonly piece: Conversation
  readonly key: string
}

/** A conversation before it is judged: its remembered verdict, or the questions to ask where they are known. */
export interface Plan {
  readonly conversation: Conversation
  readonly judgement?: Judgement
  /** The cache key of the first guard's verdict on the whole conversation. */
  readonly whole?: string | undefined
  readonly questions?: readonly Question[] | undefined
}

/** Resolves with one judgement as soon as it settles the matter, or else with all of them. */
export function firstOrAll(
  judgements: readonly Promise<Judgement>[],
  settles: (judgement: Judgement) => boolean,
): Promise<readonly Judgement[]> {
  const first = new Promise<readonly Judgement[]>((resolve) => {
    for (const each of judgements) void each.then((judgement) => settles(judgement) && resolve([judgement]))
  })
  return Promise.race([first, Promise.all(judgements)])
}

/**
 * Counts the pieces that one request makes each guard judge. A piece that is part of several conversations counts
 * once.
 */
export class Checks {
  readonly #most: number
  readonly #cache: VerdictCache
  readonly #keys = new Map<Guard, Set<string>>()
  readonly #counts = new Map<Guard, number>()

  constructor(most: number, cache: VerdictCache) {
    this.#most = most
    this.#cache = cache
  }

  /** @throws LlamaGuardError `too_many_checks` when these questions exceed the limit. */
  count(guard: Guard, questions: readonly Question[], stage: Stage): void {
    let keys = this.#keys.get(guard)
    if (keys === undefined) this.#keys.set(guard, (keys = new Set()))
    let count = this.#counts.get(guard) ?? 0
    for (const { piece, key } of questions) {
      if (keys.has(key) || this.#cache.has(key)) continue
      keys.add(key)
      count += checksOf(guard, piece, stage)
      if (count > this.#most) throw tooMany(this.#most)
    }
    this.#counts.set(guard, count)
  }
}
