// From examples to the weights module: fit, quantise, calibrate, choose, print.
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { Parameters } from '../../src/guard/local/model.js'
import { calibrate, chooseThreshold, lexiconConfidence } from './choose.js'
import { splitForChoosing } from './data.js'
import { fitCategories, fitUnsafe, type Head, type Point, points } from './fit.js'
import type { Example } from './seeds.js'

type Chosen = Pick<Parameters, 'slope' | 'offset' | 'lexicon' | 'threshold'>

/** One step of int8 for the largest weight; nothing is clipped. */
function quantise({ weights }: Head): { readonly bytes: Int8Array; readonly scale: number } {
  const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) || 1
  return { bytes: Int8Array.from(weights, (weight) => Math.round((weight / largest) * 127)), scale: Number((largest / 127).toPrecision(6)) }
}

function parametersOf(all: readonly Point[], chosen: Chosen, unsafe = fitUnsafe(all)): Parameters {
  const heads = [unsafe, ...fitCategories(all)]
  const tables = heads.map(quantise)
  const round = (value: number): number => Number(value.toPrecision(6))
  return {
    weights: Buffer.concat(tables.map(({ bytes }) => Buffer.from(bytes.buffer))).toString('base64'),
    scales: tables.map(({ scale }) => scale),
    biases: heads.map(({ bias }) => round(bias)),
    slope: round(chosen.slope),
    offset: round(chosen.offset),
    lexicon: round(chosen.lexicon),
    threshold: chosen.threshold,
  }
}

/** A model of one part of the examples, calibrated and given its threshold on the other. */
export function buildOn(fit: readonly Example[], choose: readonly Example[]): Parameters {
  const all = points(fit)
  const unsafe = fitUnsafe(all)
  const held = points(choose)
  const draft = parametersOf(all, { ...calibrate(unsafe, held), lexicon: lexiconConfidence(held), threshold: 1 }, unsafe)
  return { ...draft, threshold: chooseThreshold(draft, choose) }
}

/** The model that is shipped: calibrated and given its threshold on a split, then fitted again on everything. */
export function build(examples: readonly Example[]): Parameters {
  const { fit, choose } = splitForChoosing(examples)
  return parametersOf(points(examples), buildOn(fit, choose))
}

/** Text of `src/guard/local/weights.ts`. */
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
