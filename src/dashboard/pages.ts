// The open pages: each is a stream of server-sent events, told once a second. Bounded in number, in time and in what
// waits for a slow reader. Without a page there is no timer.
import type { ServerResponse } from 'node:http'

/** Open pages of one dashboard. */
export const MOST_PAGES = 16
const EVERY_MS = 1_000
/** A stream ends after this time, and its page asks again: whoever may no longer see it is then told so. */
const LONGEST_MS = 30 * 60_000

export class Pages {
  readonly #open = new Map<ServerResponse, number>()
  readonly #tell: () => object
  #timer: NodeJS.Timeout | undefined

  /** `tell`: what every page is told, made once a second for all of them. */
  constructor(tell: () => object) {
    this.#tell = tell
  }

  get full(): boolean {
    return this.#open.size >= MOST_PAGES
  }

  /** Takes a response whose headers are set. */
  add(res: ServerResponse): void {
    this.#open.set(res, performance.now())
    res.once('close', () => this.#remove(res))
    res.write(`retry: 2000\n\n${this.#event()}`)
    this.#timer ??= setInterval(() => this.#tick(), EVERY_MS).unref()
  }

  close(): void {
    for (const res of this.#open.keys()) res.end()
  }

  #tick(): void {
    const event = this.#event()
    const now = performance.now()
    for (const [res, since] of this.#open) {
      if (now - since > LONGEST_MS) res.destroy()
      // A page that reads slowly misses a second, so that nothing piles up.
      else if (!res.writableNeedDrain) res.write(event)
    }
  }

  #event(): string {
    return `data: ${JSON.stringify(this.#tell())}\n\n`
  }

  #remove(res: ServerResponse): void {
    this.#open.delete(res)
    if (this.#open.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
