// The open pages: each is a stream of server-sent events, told once a second. Bounded in number, in time and in what
// waits for a slow reader. Without a page there is no timer.
import type { ServerResponse } from 'node:http'

/** Open pages of one dashboard. */
export const MOST_PAGES = 16
/** A stream ends after this time, and its page asks again: whoever may no longer see it is then told so. */
const LONGEST_MS = 30 * 60_000

interface Page {
  readonly since: number
  /** True while what was written waits to be read. */
  full: boolean
}

export class Pages {
  readonly #open = new Map<ServerResponse, Page>()
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
    const page = { since: performance.now(), full: false }
    this.#open.set(res, page)
    res.once('close', () => this.#remove(res))
    res.on('drain', () => (page.full = false))
    write(res, page, `retry: 2000\n\n${this.#event()}`)
    this.#timer ??= setInterval(() => this.#tick(), this.#everyMs).unref()
  }

  close(): void {
    for (const res of this.#open.keys()) res.end()
  }

  #tick(): void {
    const now = performance.now()
    for (const [res, { since }] of this.#open) if (now - since > LONGEST_MS) res.destroy()
    // A page that reads slowly misses seconds, so that nothing piles up.
    const ready = [...this.#open].filter(([, { full }]) => !full)
    if (ready.length === 0) return
    const event = this.#event()
    for (const [res, page] of ready) write(res, page, event)
  }

  /** Empty where counters cannot be read: a dashboard never ends its app. */
  #event(): string {
    try {
      return `data: ${JSON.stringify(this.#tell())}\n\n`
    } catch {
      return ''
    }
  }

  #remove(res: ServerResponse): void {
    this.#open.delete(res)
    if (this.#open.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

function write(res: ServerResponse, page: Page, text: string): void {
  if (text !== '' && !res.write(text)) page.full = true
}
