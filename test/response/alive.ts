// Counts what is still in memory after a garbage collection. Objects are counted, not bytes or time.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

// Behind what waits for the end of this turn: a timer that is late fires before it.
export const turn = (): Promise<void> => new Promise((resolve) => setTimeout(() => setImmediate(resolve), 1))

/** How many of them are still in memory. */
export async function alive(refs: readonly WeakRef<Buffer>[]): Promise<number> {
  await turn()
  collect()
  await turn()
  collect()
  return refs.filter((ref) => ref.deref() !== undefined).length
}
