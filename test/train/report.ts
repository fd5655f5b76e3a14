// The tables of MODEL_CARD.md and the README: what the word list and the screen each find, source by source.
import { listedWords } from '../../src/guard/backends/local/lexicon.js'
import type { Parameters } from '../../src/guard/backends/local/model.js'
import { createScreen, windows } from '../../src/guard/backends/local/screen.js'
import { buildOn } from './build.js'
import { splitForChoosing } from './data.js'
import type { Example } from './seeds.js'
import type { Vectors } from './vectors.js'

const percent = (part: number, whole: number): string => (whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`)

interface Found {
  readonly words: boolean
  readonly list: boolean
  readonly screen: boolean
}

function judge(parameters: Parameters, examples: readonly Example[]): Found[] {
  const screen = createScreen(parameters)
  return examples.map(({ text }) => {
    const findings = windows(text).map((part) => ({ ...screen.window(part), words: listedWords(part).length > 0 }))
    return {
      words: findings.some(({ words }) => words),
      list: findings.some(({ listed }) => listed),
      screen: findings.some(({ score }) => score >= parameters.threshold),
    }
  })
}

function row(name: string, label: string, found: readonly Found[]): string {
  const share = (key: keyof Found): string => percent(found.filter((one) => one[key]).length, found.length)
  return `| ${name} | ${label} | ${found.length} | ${share('words')} | ${share('list')} | ${share('screen')} |`
}

const HEADER = '| source | label | texts | word list | + phrases | baseline screen |\n|---|---|---:|---:|---:|---:|'

/** Share of texts flagged, by source and label: recall where the label is unsafe, false positives where it is safe. */
export function table(parameters: Parameters, examples: readonly Example[]): string {
  const keys = [...new Set(examples.map(({ source, unsafe }) => JSON.stringify([source, unsafe])))].sort()
  const rows = keys.map((key) => {
    const [source, unsafe] = JSON.parse(key) as [string, boolean]
    return row(
      source,
      unsafe ? 'unsafe' : 'safe',
      judge(
        parameters,
        examples.filter((example) => example.source === source && example.unsafe === unsafe),
      ),
    )
  })
  return [HEADER, ...rows].join('\n')
}

/** Families of sources that borrow from each other leave together, or the model has seen what it is asked. */
const FAMILIES = [
  ['advbench', 'tdc2023', 'maliciousinstruct', 'catqa', 'dangerousqa'],
  ['dna', 'forbiddenq', 'strongreject', 'harmbench'],
  ['harmfulqa', 'medsafety'],
  ['davidson', 'rtp-id', 'rtp-sex', 'rtp-threat'],
  ['edos', 'toxigen'],
  ['surge'],
]

/** Leave-one-family-out: each source judged, at its own chosen threshold, by a model that saw none of its family. */
export function crossValidation(examples: readonly Example[], vectors: Vectors): string {
  const rows = FAMILIES.flatMap((family) => {
    const { fit, choose } = splitForChoosing(examples)
    const without = (list: readonly Example[]): Example[] => list.filter(({ source }) => !family.includes(source))
    const parameters = buildOn(without(fit), without(choose), vectors)
    return table(
      parameters,
      examples.filter(({ source }) => family.includes(source)),
    )
      .split('\n')
      .slice(2)
  })
  return [HEADER, ...rows].join('\n')
}

/** Counts by source, label and licence. */
export function counts(examples: readonly Example[]): string {
  const groups = new Map<string, { safe: number; unsafe: number }>()
  for (const { source, licence, unsafe } of examples) {
    const key = `${source} | ${licence}`
    const group = groups.get(key) ?? { safe: 0, unsafe: 0 }
    group[unsafe ? 'unsafe' : 'safe']++
    groups.set(key, group)
  }
  return [
    '| source | licence | safe | unsafe |\n|---|---|---:|---:|',
    ...[...groups].sort().map(([key, group]) => `| ${key} | ${group.safe} | ${group.unsafe} |`),
  ].join('\n')
}
