// The open pages: each is a stream of server-sent events, told once a second. Bounded in number, in time and in what
// waits for a slow reader. Without a page there is no timer.
import type { ServerResponse } from 'node:http'

/** Open pages of one dashboard. */
export const MOST_PAGES = 16
/** A stream ends after this time, and its page asks again: whoever may no longer see it is then told so. */
const LONGEST_MS = 30 * 60_000

/** `tell`: what every page is told, made once for all of them. `everyMs`: for tests. */
export function createPages(tell: () => object, everyMs = 1_000) {
  const open = new Set<ServerResponse>()
  let timer: NodeJS.Timeout | undefined

  /** Empty where counters cannot be read: a dashboard never ends its app. */
  function event(): string {
    try {
      return `data: ${JSON.stringify(tell())}\n\n`
    } catch {
      return ''
    }
  }

  function tick(): void {
    // A page that reads slowly misses seconds, so that nothing piles up.
    const ready = [...open].filter((res) => !res.writableNeedDrain)
    if (ready.length === 0) return
    const told = event()
    if (told !== '') for (const res of ready) res.write(told)
  }

  return {
    full: () => open.size >= MOST_PAGES,
    /** Takes a response whose headers are set. */
    add(res: ServerResponse): void {
      open.add(res)
      const end = setTimeout(() => res.destroy(), LONGEST_MS).unref()
      res.once('close', () => {
        clearTimeout(end)
        open.delete(res)
        if (open.size === 0) timer = void clearInterval(timer)
      })
      res.write(`retry: 2000\n\n${event()}`)
      timer ??= setInterval(tick, everyMs).unref()
    },
    close(): void {
      for (const res of open) res.end()
    },
  }
}
