// From examples to the weights module: fit, quantise, calibrate, choose, print.
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { Parameters } from '../../src/guard/backends/local/model.js'
import { calibrate, chooseBars, marginsOf } from './choose.js'
import { splitForChoosing } from './data.js'
import { fitCategories } from './fit-categories.js'
import { fitUnsafe } from './fit-unsafe.js'
import { type Point, points } from './points.js'
import type { Example } from './seeds.js'
import { noVectors, type Vectors } from './vectors.js'

type Chosen = Pick<Parameters, 'slope' | 'offset' | 'shifts' | 'threshold'>

/**
 * One step of int8 for the largest weight; nothing is clipped, and with `mark` nothing that is known becomes
 * the zero of the unknown.
 */
function quantise(given: ArrayLike<number>, mark = false): { readonly bytes: Int8Array; readonly scale: number } {
  const weights = Float64Array.from(given)
  const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) || 1
  const step = (weight: number): number => Math.round((weight / largest) * 127) || (mark && weight !== 0 ? 1 : 0)
  return { bytes: Int8Array.from(weights, step), scale: Number((largest / 127).toPrecision(6)) }
}

function parametersOf(all: readonly Point[], vectors: Vectors, chosen: Chosen): Parameters {
  const unsafe = fitUnsafe(all, vectors)
  const heads = fitCategories(all)
  const tables = [
    quantise(unsafe.words),
    quantise(unsafe.meanings, true),
    quantise(unsafe.concepts),
    quantise(unsafe.listed),
    ...heads.map(({ weights }) => quantise(weights)),
  ]
  const round = (value: number): number => Number(value.toPrecision(6))
  return {
    weights: Buffer.concat(tables.map(({ bytes }) => Buffer.from(bytes.buffer))).toString('base64'),
    scales: tables.map(({ scale }) => scale),
    biases: [unsafe.bias, ...heads.map(({ bias }) => bias)].map(round),
    slope: round(chosen.slope),
    offset: round(chosen.offset),
    shifts: chosen.shifts,
    threshold: chosen.threshold,
  }
}

/** A model of one part of the examples, calibrated and given its threshold on the other. */
export function buildOn(fit: readonly Example[], choose: readonly Example[], vectors: Vectors): Parameters {
  const held = points(choose, vectors)
  const draft = parametersOf(points(fit, vectors), vectors, { slope: 1, offset: 0, shifts: [], threshold: 1 })
  const marginOf = marginsOf(draft)
  const { slope, offset } = calibrate(held, marginOf)
  return {
    ...draft,
    slope: Number(slope.toPrecision(6)),
    offset: Number(offset.toPrecision(6)),
    ...chooseBars(held, (point) => slope * marginOf(point) + offset),
  }
}

/** The model that is shipped: calibrated and given its threshold on a split, then fitted again on everything. */
export function build(examples: readonly Example[], vectors: Vectors = noVectors()): Parameters {
  const { fit, choose } = splitForChoosing(examples)
  return parametersOf(points(examples, vectors), vectors, buildOn(fit, choose, vectors))
}

/** Text of `src/guard/backends/local/weights.ts`. */
export function weightsModule(parameters: Parameters): string {
  const version = createHash('sha256').update(JSON.stringify(parameters)).digest('hex').slice(0, 12)
  const { weights, ...numbers } = parameters
  return `// Weights of the baseline screen. Written by \`npm run train\`: do not edit. MODEL_CARD.md says what went in.
// A string in a module, because it loads the same way from ESM, from CommonJS and from a bundle.
import type { Parameters } from './model.js'

export const PARAMETERS: Parameters & { readonly version: string } = {
  version: '${version}',
${Object.entries(numbers)
  .map(([name, value]) => `  ${name}: ${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)},`)
  .join('\n')}
  weights: '${weights}',
}
`
}
