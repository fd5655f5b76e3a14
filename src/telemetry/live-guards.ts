// The guards of this process that are not closed, for gauges that are read when somebody asks. By a global symbol, so
// that the ESM and the CommonJS copy of this package, and its subpaths, know of each other's.
import type { GuardStats } from '../types.js'

/** Questions by what the verdict cache did. */
export const cacheCounts = ({ cache: { hits, joined, misses, store } }: GuardStats) => {
  const shared = store?.hits ?? 0
  return { hit: hits - shared, shared, miss: misses, joined }
}

interface Source {
  stats(): GuardStats
}

const KEY = Symbol.for('express-llama-guard.live-guards')

/** Not kept alive by being here: a middleware that nobody closes may still be collected. */
function refs(): Set<WeakRef<Source>> {
  const holder = globalThis as { [KEY]?: Set<WeakRef<Source>> }
  return (holder[KEY] ??= new Set())
}

/** Returns what takes it off the list. */
export function addLiveGuard(source: Source): () => void {
  const ref = new WeakRef(source)
  refs().add(ref)
  return () => void refs().delete(ref)
}

export function liveStats(): readonly GuardStats[] {
  return [...refs()].flatMap((ref) => {
    const source = ref.deref()
    if (source === undefined) refs().delete(ref)
    return source?.stats() ?? []
  })
}
