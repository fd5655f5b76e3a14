// CPU time of a piece of work, for tests that tell linear work from quadratic. A busy machine makes it no longer.

/** Milliseconds of CPU, of all threads of this process. */
export function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
