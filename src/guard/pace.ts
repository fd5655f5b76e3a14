// The pace of stream checks, set by the guard's own speed. It is delay-based congestion control, as in TCP Vegas
// (Brakmo and Peterson 1995): the time of a call beside the least time that this guard has lately needed tells what
// waits in its queue, before anything is lost. A window says how many checks may be in flight. It grows while calls
// come in time, doubling until the first queue as TCP's slow start does and by one a round after it, and shrinks when
// they come late. The streams of the process share it alike: each waits until its turn within the window, and a new
// stream widens the gaps of all at once. After a queue the window keeps still for a while, then grows back to a share
// of where the queue showed, and looks beyond it only every few minutes, because other calls pay for the search. The
// least time is kept by the minute, for ten of them, as LEDBAT does (RFC 6817).

/** Checks in flight before anything is known of the guard. */
const FIRST_WINDOW = 4
/** Later than this much more than the least time is late: a share of it, and some milliseconds of the network. */
const LATE = { share: 0.25, ms: 5 }
/** Late calls of one round that show a queue. One may be an accident. */
const LATE_CALLS = 2
const SHRINK = 0.5
/** One check in flight for so many streams: the gaps are then as wide as any window. */
const LEAST_WINDOW = 0.01
/** How long the window keeps still after a queue. */
const STILL_MS = 30_000
/** How long the window does not grow to where the last queue showed. */
const SEARCH_MS = 300_000
const MINUTE_MS = 60_000
const MINUTES = 10

export function createPace() {
  /** The least time of each of the last minutes, the newest last. */
  const least: number[] = []
  let minute = -Infinity
  let streams = 0
  let window = FIRST_WINDOW
  let current = 0
  /** Calls since the window was last looked at, and the late ones of these. */
  let calls = 0
  let late = 0
  let shrunk = -Infinity
  /** The turn that was given last. */
  let last = -Infinity
  /** The window at which the last queue showed. */
  let queuedAt = Infinity
  let queuedBefore = Infinity

  const note = (ms: number, now: number): void => {
    if (now - minute >= MINUTE_MS) {
      minute = now
      least.push(ms)
      if (least.length > MINUTES) least.shift()
    } else least[least.length - 1] = Math.min(least.at(-1)!, ms)
    current = ms
  }

  return {
    /** A stream begins. Returns what to call once it has ended. */
    join(): () => void {
      streams += 1
      let left = false
      return () => {
        if (!left) streams -= 1
        left = true
      }
    },
    /** When new text of a stream may be checked, by `performance.now()`: in turn with others, within the bound. */
    turn(windowMs: number): number {
      const now = performance.now()
      if (streams <= window) return now
      // Evenly: checks that start together would queue at a guard that has room for each of them.
      last = Math.min(Math.max(now, last + current / window), now + windowMs)
      return last
    },
    /** A check has taken so long. Undefined when it failed, for which throttling is a usual reason. */
    took(ms: number | undefined): void {
      const now = performance.now()
      if (ms !== undefined) note(ms, now)
      const fastest = Math.min(...least)
      calls += 1
      if (ms === undefined || ms > fastest * (1 + LATE.share) + LATE.ms) late += 1
      if (late >= LATE_CALLS) {
        // The queue that the larger window left needs the time of a call to drain. Calls that began before it has
        // drained say nothing about the smaller window: taken for late ones they halved it four times at once.
        if (now - shrunk >= 2 * (ms ?? current)) {
          // Doubling may have gone twice too far.
          if (shrunk === -Infinity) window /= 2
          if (now - shrunk >= STILL_MS) [queuedBefore, queuedAt] = [queuedAt, window]
          window = Math.max(LEAST_WINDOW, window * SHRINK)
          // Smaller windows did not help: the guard is slow by itself, which says nothing of its room.
          if (window < queuedAt / 8) queuedAt = queuedBefore
          shrunk = now
        }
      } else if (calls < Math.max(LATE_CALLS, window)) return
      // A window that is not in use is not known to be too small.
      else if (streams > window && now - shrunk >= STILL_MS) {
        const grown = window + (shrunk === -Infinity ? window : Math.min(1, window))
        const most = now - shrunk < SEARCH_MS ? Math.max(window, queuedAt * SHRINK) : Infinity
        window = Math.min(grown, most)
      }
      calls = 0
      late = 0
    },
  }
}
