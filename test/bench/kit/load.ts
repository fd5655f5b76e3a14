// A closed loop of load: each connection asks again as soon as it was answered. Counts, and times of each answer.
import { leanClient } from './lean-http.js'

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
  /** Answers with a status other than 200, and broken connections. */
  readonly failed: number
}

/**
 * Runs `connections` loops for `ms` and waits for the last answers. Each connection has had one answer before
 * `begin` is called and the clock starts: a server accepts many new ones slowly, and users keep theirs.
 */
export async function load(
  port: number,
  connections: number,
  ms: number,
  request: () => Buffer,
  begin?: () => Promise<void>,
): Promise<LoadResult> {
  const askers = []
  for (let index = 0; index < connections; index++) askers.push(await leanClient(port))
  await Promise.allSettled(askers.map((asker) => asker.ask(request())))
  await begin?.()
  const times: number[] = []
  let failed = 0
  const started = performance.now()
  await Promise.all(
    askers.map(async (asker) => {
      while (performance.now() - started < ms) {
        const asked = performance.now()
        try {
          const { status } = await asker.ask(request())
          if (status !== 200) failed++
        } catch {
          failed++
          break
        }
        times.push(performance.now() - asked)
      }
      asker.close()
    }),
  )
  const seconds = (performance.now() - started) / 1000
  return { requests: times.length, seconds, failed, p50: percentile(times, 0.5), p99: percentile(times, 0.99) }
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}
