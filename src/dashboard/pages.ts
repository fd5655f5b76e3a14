// The open pages: each is a stream of server-sent events, told once a second. Bounded in number, in time and in what
// waits for a slow reader. Without a page there is no timer.
import type { ServerResponse } from 'node:http'

/** Open pages of one dashboard. */
export const MOST_PAGES = 16
/** A stream ends after this time, and its page asks again: whoever may no longer see it is then told so. */
const LONGEST_MS = 30 * 60_000

export class Pages {
  readonly #open = new Set<ServerResponse>()
  readonly #tell: () => object
  readonly #everyMs: number
  #timer: NodeJS.Timeout | undefined

  /** `tell`: what every page is told, made once for all of them. `everyMs`: for tests. */
  constructor(tell: () => object, everyMs = 1_000) {
    this.#tell = tell
    this.#everyMs = everyMs
  }

  get full(): boolean {
    return this.#open.size >= MOST_PAGES
  }

  /** Takes a response whose headers are set. */
  add(res: ServerResponse): void {
    this.#open.add(res)
    const end = setTimeout(() => res.destroy(), LONGEST_MS).unref()
    res.once('close', () => {
      clearTimeout(end)
      this.#open.delete(res)
      if (this.#open.size === 0) this.#timer = void clearInterval(this.#timer)
    })
    res.write(`retry: 2000\n\n${this.#event()}`)
    this.#timer ??= setInterval(() => this.#tick(), this.#everyMs).unref()
  }

  close(): void {
    for (const res of this.#open) res.end()
  }

  #tick(): void {
    // A page that reads slowly misses seconds, so that nothing piles up.
    const ready = [...this.#open].filter((res) => !res.writableNeedDrain)
    if (ready.length === 0) return
    const event = this.#event()
    if (event !== '') for (const res of ready) res.write(event)
  }

  /** Empty where counters cannot be read: a dashboard never ends its app. */
  #event(): string {
    try {
      return `data: ${JSON.stringify(this.#tell())}\n\n`
    } catch {
      return ''
    }
  }
}
