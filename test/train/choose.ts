// Turns margins into probabilities and picks the default threshold, on examples the fit has not seen.
import { createModel, kindOf, KINDS, type Parameters, sigmoid } from '../../src/guard/backends/local/model.js'
import { BENIGN } from './data.js'
import type { Point } from './points.js'

/** Share of harmless texts, on average over the benign sources, that may be blocked, by kind of window. */
const FALSE_POSITIVES = [0.0275, 0.04, 0.03, 0.04] as const
/**
 * How far the threshold lies above the bars that keep this promise, as a margin. Chosen on dev.jsonl: the lowest of 0.3, 0.4
 * and so on with which at most a tenth of XSTest's safe prompts and 2 % of each harmless source are flagged.
 */
const ABOVE = 0.5
/** A source with fewer texts of a kind says nothing about it. */
const ENOUGH_TEXTS = 40
const NEWTON_STEPS = 50

/** Each source and class counts once, whatever its size. */
function bySource(all: readonly Point[]): ReadonlyMap<string, readonly Point[]> {
  const groups = new Map<string, Point[]>()
  for (const point of all) {
    const key = `${point.example.source} ${point.example.unsafe ? 'unsafe' : 'safe'}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [point])
    else group.push(point)
  }
  return groups
}

const logit = (score: number): number => Math.log(score / (1 - score))

/** Margins of a draft that is not calibrated yet. */
export function marginsOf(draft: Parameters): (point: Point) => number {
  const model = createModel({ ...draft, slope: 1, offset: 0, shifts: [] })
  return ({ evidence }) => Math.max(-30, Math.min(30, logit(model.score(evidence))))
}

/** Platt scaling by Newton's method, sources and the two classes balanced. */
export function calibrate(
  held: readonly Point[],
  marginOf: (point: Point) => number,
): { readonly slope: number; readonly offset: number } {
  const groups = [...bySource(held).values()]
  const sources = (unsafe: boolean): number => groups.filter((group) => group[0]?.example.unsafe === unsafe).length || 1
  const items = groups.flatMap((group) =>
    group.map((point) => ({
      x: marginOf(point),
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

/** The lowest calibrated margin that keeps the promise for one kind of window. */
function lowest(held: readonly Point[], valueOf: (point: Point) => number, kind: number): number {
  const worst = BENIGN.map((source) => {
    const texts = new Map<unknown, number>()
    for (const point of held) {
      if (point.example.source !== source || point.example.unsafe || kindOf(point.evidence) !== kind) continue
      texts.set(point.example, Math.max(texts.get(point.example) ?? -Infinity, valueOf(point)))
    }
    return [...texts.values()]
  }).filter(({ length }) => length >= ENOUGH_TEXTS)
  for (let step = 0; step < 160; step++) {
    const bar = -3 + step / 20
    const mean =
      worst.reduce((sum, values) => sum + values.filter((value) => value >= bar).length / values.length, 0) /
      (worst.length || 1)
    if (mean <= (FALSE_POSITIVES[kind] ?? 0)) return bar
  }
  return 5
}

export type Bars = Pick<Parameters, 'threshold' | 'shifts'>

/**
 * The threshold for brief requests, and the shifts that bring the other kinds of windows to the same number. No kind is
 * held to less than they are: the sources have too few texts of the others to argue for that.
 */
export function chooseBars(held: readonly Point[], valueOf: (point: Point) => number): Bars {
  const bars = KINDS.map((kind) => lowest(held, valueOf, kind))
  const [first = 0] = bars
  return {
    threshold: Number(sigmoid(first + ABOVE).toFixed(3)),
    shifts: bars.map((bar) => Number(Math.min(0, first - bar).toFixed(2))),
  }
}
