// The last minute, second by second: how requests ended, and how long each stage took. It holds counts alone, in a ring
// of fixed size, so that it costs the same under any load.
import type { Stage } from '../types.js'

/** How a request ended. `unjudged`: it passed, or failed, without a verdict. */
export type Ending = 'released' | 'blocked' | 'unjudged'

const SECONDS = 60
/** Durations are counted in classes that grow by a fifth, from 0.1 ms to over a minute. */
const LEAST_MS = 0.1
const PER_DOUBLING = 4
const CLASSES = 80

interface Second {
  /** Which second of the clock this is. -1 for none yet. */
  at: number
  readonly endings: Record<Ending, number>
  readonly durations: Readonly<Record<Stage, Uint32Array>>
}

export interface StageLatency {
  readonly judged: number
  /** Milliseconds, true to a tenth. Undefined without a judgement. */
  readonly p50?: number
  readonly p99?: number
}

export class LastMinute {
  readonly #ring: Second[] = Array.from({ length: SECONDS }, () => ({
    at: -1,
    endings: { released: 0, blocked: 0, unjudged: 0 },
    durations: { input: new Uint32Array(CLASSES), output: new Uint32Array(CLASSES) },
  }))
  readonly #clock: () => number

  /** `clock`: whole seconds that never go back. */
  constructor(clock = (): number => Math.floor(performance.now() / 1000)) {
    this.#clock = clock
  }

  ended(ending: Ending): void {
    this.#now().endings[ending]++
  }

  judged(stage: Stage, ms: number): void {
    this.#now().durations[stage][classOf(ms)]!++
  }

  /** Oldest second first; the last is the running one. */
  endings(): readonly Readonly<Record<Ending, number>>[] {
    const now = this.#clock()
    return Array.from({ length: SECONDS }, (_, index) => {
      const at = now - SECONDS + 1 + index
      const second = this.#ring[((at % SECONDS) + SECONDS) % SECONDS]!
      return second.at === at ? { ...second.endings } : { released: 0, blocked: 0, unjudged: 0 }
    })
  }

  latency(stage: Stage): StageLatency {
    const since = this.#clock() - SECONDS
    const sums = new Uint32Array(CLASSES)
    for (const { at, durations } of this.#ring)
      if (at > since) for (let index = 0; index < CLASSES; index++) sums[index]! += durations[stage][index]!
    const judged = sums.reduce((sum, count) => sum + count, 0)
    return judged === 0 ? { judged } : { judged, p50: quantile(sums, judged * 0.5), p99: quantile(sums, judged * 0.99) }
  }

  #now(): Second {
    const at = this.#clock()
    const second = this.#ring[at % SECONDS]!
    if (second.at !== at) {
      second.at = at
      Object.assign(second.endings, { released: 0, blocked: 0, unjudged: 0 })
      for (const counts of Object.values(second.durations)) counts.fill(0)
    }
    return second
  }
}

function classOf(ms: number): number {
  if (!(ms > LEAST_MS)) return 0
  return Math.min(CLASSES - 1, Math.ceil(Math.log2(ms / LEAST_MS) * PER_DOUBLING))
}

/** The middle of the class that the value of this rank lies in. */
function quantile(counts: Uint32Array, rank: number): number {
  let seen = 0
  const found = counts.findIndex((count) => (seen += count) >= rank && count > 0)
  return LEAST_MS * 2 ** ((found - 0.5) / PER_DOUBLING)
}
