// The last minute, hour and day: how requests ended, and how long each stage took. Counts alone, in rings of fixed
// size, so that they cost the same under any load.
import type { Stage } from '../types.js'

/** How a request ended. `unjudged`: it passed, or failed, without a verdict. */
export type Ending = 'released' | 'blocked' | 'unjudged'
const ENDINGS: readonly Ending[] = ['released', 'blocked', 'unjudged']

/** Slots of a window. Each has a bar on the page. */
const SLOTS = 60
/** Durations are counted in classes that grow by a fifth, from 0.1 ms to over a minute. */
const LEAST_MS = 0.1
const PER_DOUBLING = 4
const CLASSES = 80

interface Slot {
  /** Which slot of the clock this is. -1 for none yet. */
  at: number
  /** By ending, in the order of `ENDINGS`. */
  readonly endings: Uint32Array
  readonly durations: Readonly<Record<Stage, Uint32Array>>
}

/** What a page draws of a window. */
export type Seen = ReturnType<Window['seen']>

export class Window {
  readonly #ring: Slot[] = Array.from({ length: SLOTS }, () => ({
    at: -1,
    endings: new Uint32Array(ENDINGS.length),
    durations: { input: new Uint32Array(CLASSES), output: new Uint32Array(CLASSES) },
  }))
  readonly name: string
  readonly #slot: () => number

  /** `seconds`: length of a slot. `clock`: seconds that never go back. */
  constructor(name: string, seconds = 1, clock = (): number => performance.now() / 1000) {
    this.name = name
    this.#slot = () => Math.floor(clock() / seconds)
  }

  ended(ending: Ending): void {
    this.#now().endings[ENDINGS.indexOf(ending)]!++
  }

  judged(stage: Stage, ms: number): void {
    this.#now().durations[stage][classOf(ms)]!++
  }

  seen() {
    const now = this.#slot()
    const bars = Array.from({ length: SLOTS }, (_, index) => {
      const at = now - SLOTS + 1 + index
      const slot = this.#ring[((at % SLOTS) + SLOTS) % SLOTS]!
      return slot.at === at ? [...slot.endings] : ENDINGS.map(() => 0)
    })
    // Released, blocked and unjudged requests of each slot, the oldest first; the last slot is the running one.
    return { name: this.name, bars, latency: { input: this.#latency('input'), output: this.#latency('output') } }
  }

  /** Milliseconds, true to a tenth. None without a judgement. */
  #latency(stage: Stage) {
    const since = this.#slot() - SLOTS
    const sums = new Uint32Array(CLASSES)
    for (const { at, durations } of this.#ring)
      if (at > since) for (let index = 0; index < CLASSES; index++) sums[index]! += durations[stage][index]!
    const judged = sums.reduce((sum, count) => sum + count, 0)
    const at = (share: number) => (judged === 0 ? undefined : quantile(sums, judged * share))
    return { judged, p50: at(0.5), p99: at(0.99) }
  }

  #now(): Slot {
    const at = this.#slot()
    const slot = this.#ring[at % SLOTS]!
    if (slot.at !== at) {
      slot.at = at
      for (const counts of [slot.endings, ...Object.values(slot.durations)]) counts.fill(0)
    }
    return slot
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
