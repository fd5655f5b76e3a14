// Writes the numbers of MODEL_CARD.md: what stands between `<!-- NAME -->` and `<!-- /NAME -->` is made here, from the
// weights and the corpora, so that no sentence of the card can disagree with its tables.
import type { Parameters } from '../../src/guard/backends/local/model.js'
import { KINDS } from '../../src/guard/backends/local/model.js'
import { sigmoid } from '../../src/guard/backends/local/model.js'
import { counts, judgeAll, lengthTable, share, table } from './report.js'
import type { Example } from './seeds.js'

export const CARD = 'src/guard/backends/local/MODEL_CARD.md'

type Shipped = Parameters & { readonly version: string }

/** Text of the card with one block replaced. Throws where the card has no such block: a number must not get lost. */
export function withBlock(card: string, name: string, text: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [start, end] = [card.indexOf(open), card.indexOf(close)]
  if (start < 0 || end < start) throw new Error(`${CARD} has no block ${open} ... ${close}; it wants one.`)
  return `${card.slice(0, start + open.length)}\n${text}\n${card.slice(end)}`
}

const KIND_NAMES = ['asks, at most 15 words', 'asks, longer', 'tells, at most 15 words', 'tells, longer']

/** The block that follows from the weights alone. */
export function weightFacts(parameters: Shipped): Readonly<Record<string, string>> {
  const logit = Math.log(parameters.threshold / (1 - parameters.threshold))
  const bars = KINDS.map((kind) => {
    const bar = sigmoid(logit - (parameters.shifts[kind] ?? 0)).toFixed(2)
    return `| ${KIND_NAMES[kind] ?? ''} | ${bar} |`
  })
  const kibibytes = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`
  return {
    weights: [
      `- Version \`${parameters.version}\`: ${kibibytes((parameters.weights.length / 4) * 3)} of weights, ` +
        `${kibibytes(parameters.weights.length)} as the base64 string of \`weights.ts\`. Default threshold: ${parameters.threshold}.`,
      '',
      '| window | probability from which it is blocked |',
      '|---|---:|',
      ...bars,
    ].join('\n'),
  }
}

/** The blocks that follow from the weights and the corpora. */
export function corpusFacts(
  parameters: Shipped,
  training: readonly Example[],
  dev: readonly Example[],
): Readonly<Record<string, string>> {
  const found = judgeAll(parameters, dev)
  const of = (source: string, unsafe: boolean): string => share(found, source, unsafe)
  return {
    sources: counts(training),
    dev: table(found),
    lengths: lengthTable(found),
    misses:
      `- It reads words, not meaning. It flags questions *about* a hazard (${of('xstest', false)} of XSTest's safe ` +
      `prompts) and counter-speech and reclaimed words (${of('hatecheck', false)} of HateCheck's safe texts), and it ` +
      `finds only ${of('xstest', true)} of XSTest's unsafe prompts and ${of('ailuminate', true)} of AILuminate's.`,
  }
}
