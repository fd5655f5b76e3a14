// L-BFGS: finds the one minimum of a smooth convex function, without a learning rate to tune and without randomness.
// Nocedal and Wright, Numerical Optimization, algorithm 7.4, with a backtracking line search.

const MEMORY = 10
const STEPS = 120
/**
 * Stop when so many steps in a row each improve the value by less than this share of it. One such step alone is a step
 * in a bad direction far more often than the bottom.
 */
const ENOUGH = 1e-5
const IN_A_ROW = 4
const ARMIJO = 1e-4

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0)
  return sum
}
const add = (to: Float64Array, factor: number, what: Float64Array): void => {
  for (let at = 0; at < to.length; at++) to[at] = (to[at] ?? 0) + factor * (what[at] ?? 0)
}
const minus = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, at) => value - (b[at] ?? 0))

/** `value` returns the function at a point and writes its gradient into the second argument. */
export function minimise(size: number, value: (point: Float64Array, gradient: Float64Array) => number): Float64Array {
  let point = new Float64Array(size)
  let gradient = new Float64Array(size)
  let now = value(point, gradient)
  const history: { readonly s: Float64Array; readonly y: Float64Array; readonly rho: number }[] = []
  let small = 0
  for (let step = 0; step < STEPS; step++) {
    const direction = gradient.map((slope) => -slope)
    const alphas: number[] = []
    for (const { s, y, rho } of [...history].reverse()) {
      const alpha = rho * dot(s, direction)
      alphas.push(alpha)
      add(direction, -alpha, y)
    }
    const last = history.at(-1)
    const size0 =
      last === undefined ? 1 / Math.sqrt(dot(gradient, gradient) || 1) : 1 / (last.rho * dot(last.y, last.y))
    for (let at = 0; at < direction.length; at++) direction[at] = (direction[at] ?? 0) * size0
    for (const { s, y, rho } of history) add(direction, (alphas.pop() ?? 0) - rho * dot(y, direction), s)

    const slope = dot(gradient, direction)
    let reach = 1
    let next = point
    let nextGradient = gradient
    let after = now
    do {
      next = Float64Array.from(point)
      add(next, reach, direction)
      nextGradient = new Float64Array(size)
      after = value(next, nextGradient)
      reach /= 2
    } while (after > now + ARMIJO * reach * 2 * slope && reach > 1e-10)
    const s = minus(next, point)
    const y = minus(nextGradient, gradient)
    const curvature = dot(s, y)
    if (curvature > 0) history.push({ s, y, rho: 1 / curvature })
    if (history.length > MEMORY) history.shift()
    const gained = now - after
    point = next
    gradient = nextGradient
    now = after
    small = gained < ENOUGH * now ? small + 1 : 0
    if (small === IN_A_ROW) break
  }
  return point
}
