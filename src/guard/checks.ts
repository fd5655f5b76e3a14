// What one request makes us ask: the questions of each conversation, how many there may be, and when one answer is
// enough for all.
import type { Conversation, Guard, Judgement, Stage } from '../types.js'
import type { VerdictCache } from './cache/index.js'
import { checksOf } from './panel.js'
import { tooMany } from './pieces.js'

/** One piece of a conversation, and the name of what is remembered about it. */
export interface Question {
  readonly piece: Conversation
  readonly key: string
}

/** A conversation before it is judged: its verdict where one is remembered, else what to ask where that is known. */
export interface Plan {
  readonly conversation: Conversation
  readonly judgement?: Judgement
  /** What the first member's verdict on the whole conversation would be remembered under. */
  readonly whole?: string | undefined
  readonly questions?: readonly Question[] | undefined
}

/** Resolves with the first judgement that settles the matter, alone, or with all. */
export function firstOrAll(
  judgements: readonly Promise<Judgement>[],
  settles: (judgement: Judgement) => boolean,
): Promise<readonly Judgement[]> {
  const first = new Promise<readonly Judgement[]>((resolve) => {
    for (const each of judgements) void each.then((judgement) => settles(judgement) && resolve([judgement]))
  })
  return Promise.race([first, Promise.all(judgements)])
}

/** What one request makes each guard judge. A piece that stands in several conversations counts once. */
export class Checks {
  readonly #most: number
  readonly #cache: VerdictCache
  readonly #keys = new Map<Guard, Set<string>>()
  readonly #counts = new Map<Guard, number>()

  constructor(most: number, cache: VerdictCache) {
    this.#most = most
    this.#cache = cache
  }

  /** Throws `too_many_checks` when these make too many. */
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
