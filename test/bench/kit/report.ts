// The server's half of process.ts: says where it listens, and what it has used, when asked.

export interface Counts {
  calls: number
  bytes: number
  /** Events of paced streams, from the LLM. */
  events?: number
}

export function report(
  port: number,
  counts: Counts = { calls: 0, bytes: 0 },
  set?: (settings: Record<string, unknown>) => void,
): void {
  process.on('message', (message: { ask: string; settings?: Record<string, unknown>; collect?: boolean }) => {
    if (message.ask === 'usage') {
      if (message.collect) globalThis.gc?.()
      const { user, system } = process.cpuUsage()
      // Buffers are part of `external`.
      const { rss, heapUsed, external } = process.memoryUsage()
      process.send?.({ cpu: user + system, rss, heap: heapUsed, external, ...counts })
    } else if (message.ask === 'set') {
      set?.(message.settings ?? {})
      process.send?.({ done: true })
    } else {
      // Not at once: a profile is written on a normal exit only.
      process.exit()
    }
  })
  process.on('disconnect', () => process.exit())
  process.send?.({ port })
}
