// Turns margins into probabilities and picks the default threshold, on examples the fit has not seen.
import { margin, sigmoid, type Parameters } from '../../src/guard/local/model.js'
import { createScreen } from '../../src/guard/local/screen.js'
import { BENIGN } from './data.js'
import type { Head, Point } from './fit.js'
import type { Example } from './seeds.js'

/** Share of harmless requests that may be blocked: on average over the benign sources, and in the worst of them. */
const MEAN_FALSE_POSITIVES = 0.015
const WORST_FALSE_POSITIVES = 0.03
const NEWTON_STEPS = 50

/** Each source and class counts once, whatever its size. */
function bySource<T extends { readonly example: Example }>(items: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = `${item.example.source} ${item.example.unsafe ? 'unsafe' : 'safe'}`
    groups.set(key, [...(groups.get(key) ?? []), item])
  }
  return groups
}

/** Platt scaling by Newton's method, sources and the two classes balanced. */
export function calibrate(head: Head, held: readonly Point[]): { readonly slope: number; readonly offset: number } {
  const groups = [...bySource(held).values()]
  const sources = (unsafe: boolean): number => groups.filter((group) => group[0]?.example.unsafe === unsafe).length || 1
  const items = groups.flatMap((group) =>
    group.map((point) => ({
      x: margin(head.weights, { words: [...point.words], chars: [...point.chars] }) + head.bias,
      y: point.example.unsafe ? 1 : 0,
      weight: 1 / group.length / sources(point.example.unsafe),
    })),
  )
  let slope = 1
  let offset = 0
  for (let step = 0; step < NEWTON_STEPS; step++) {
    let [gs, go, hss, hso, hoo] = [0, 0, 1e-6, 0, 1e-6]
    for (const { x, y, weight } of items) {
      const p = sigmoid(slope * x + offset)
      const error = weight * (p - y)
      const curve = weight * p * (1 - p)
      gs += error * x
      go += error
      hss += curve * x * x
      hso += curve * x
      hoo += curve
    }
    const determinant = hss * hoo - hso * hso
    slope -= (hoo * gs - hso * go) / determinant
    offset -= (hss * go - hso * gs) / determinant
  }
  return { slope, offset }
}

/** How much a hit of the word list says, by sources: its share among unsafe texts against its share among safe ones. */
export function lexiconConfidence(held: readonly Point[]): number {
  const rate = (unsafe: boolean): number => {
    const groups = [...bySource(held).values()].filter((group) => group[0]?.example.unsafe === unsafe)
    return groups.reduce((sum, group) => sum + group.filter(({ listed }) => listed.length > 0).length / group.length, 0) / (groups.length || 1)
  }
  const [hits, falseHits] = [rate(true), rate(false)]
  return Math.min(0.95, Math.max(0.5, hits / (hits + falseHits || 1)))
}

/** Share of a list that the screen would block. */
export function blocked(scores: readonly number[], threshold: number): number {
  return scores.filter((score) => score >= threshold).length / (scores.length || 1)
}

/** The lowest threshold that keeps the promise on harmless requests. */
export function chooseThreshold(parameters: Parameters, held: readonly Example[]): number {
  const screen = createScreen(parameters)
  const scores = BENIGN.map((source) => held.filter((example) => example.source === source).map(({ text }) => screen.text(text).score)).filter(({ length }) => length > 0)
  for (let step = 20; step < 198; step++) {
    const threshold = step / 200
    const rates = scores.map((source) => blocked(source, threshold))
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / (rates.length || 1)
    if (mean <= MEAN_FALSE_POSITIVES && Math.max(0, ...rates) <= WORST_FALSE_POSITIVES) return threshold
  }
  return 0.99
}
