// The tables of MODEL_CARD.md: what the word list and the screen each find, source by source and length by length.
import type { Parameters } from '../../src/guard/backends/local/model.js'
import { createScreen, windows } from '../../src/guard/backends/local/screen.js'
import { buildOn } from './build.js'
import { splitForChoosing } from './data.js'
import type { Example } from './seeds.js'
import type { Vectors } from './vectors.js'

const percent = (part: number, whole: number): string => (whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`)

interface Found {
  readonly example: Example
  readonly words: boolean
  readonly list: boolean
  readonly screen: boolean
}

/** What each part of the screen finds in each example. */
export function judgeAll(parameters: Parameters, examples: readonly Example[]): Found[] {
  const screen = createScreen(parameters)
  return examples.map((example) => {
    const findings = windows(example.text).map((part) => ({
      ...screen.window(part),
      words: part.listed.decides,
    }))
    return {
      example,
      words: findings.some(({ words }) => words),
      list: findings.some(({ listed }) => listed),
      screen: findings.some(({ score }) => score >= parameters.threshold),
    }
  })
}

const flagged = (found: readonly Found[], key: 'words' | 'list' | 'screen' = 'screen'): string =>
  percent(found.filter((one) => one[key]).length, found.length)

/** Share of the texts of one source and label that the screen flags. */
export const share = (found: readonly Found[], source: string, unsafe: boolean): string =>
  flagged(found.filter(({ example }) => example.source === source && example.unsafe === unsafe))

/** Calls back with the texts of each source and label, in the order of their names. */
function bySource(found: readonly Found[], line: (name: string, group: readonly Found[]) => string): string[] {
  const groups = new Map<string, Found[]>()
  for (const one of found) {
    const name = `${one.example.source} | ${one.example.unsafe ? 'unsafe' : 'safe'}`
    groups.set(name, [...(groups.get(name) ?? []), one])
  }
  return [...groups.keys()].sort().map((name) => line(name, groups.get(name) ?? []))
}

const HEADER = '| source | label | texts | word list | + phrases | baseline screen |\n|---|---|---:|---:|---:|---:|'

/** Share of texts flagged, by source and label: recall where the label is unsafe, false positives where it is safe. */
export function table(found: readonly Found[]): string {
  const rows = bySource(
    found,
    (name, group) =>
      `| ${name} | ${group.length} | ${flagged(group, 'words')} | ${flagged(group, 'list')} | ${flagged(group)} |`,
  )
  return [HEADER, ...rows].join('\n')
}

/** Words of a text, in classes: a remark, a sentence, more. */
const LENGTHS = [
  { name: 'under 6 words', least: 0, most: 5 },
  { name: '6 to 15', least: 6, most: 15 },
  { name: '16 and more', least: 16, most: Infinity },
]

/** Share of texts that the screen flags by length; a class with fewer than ten texts stays empty. */
export function lengthTable(found: readonly Found[]): string {
  const wordsIn = ({ example }: Found): number => example.text.trim().split(/\s+/).length
  const cell = (group: readonly Found[]): string => (group.length < 10 ? '' : `${flagged(group)} of ${group.length}`)
  const rows = bySource(found, (name, group) => {
    const cells = LENGTHS.map(({ least, most }) =>
      cell(group.filter((one) => wordsIn(one) >= least && wordsIn(one) <= most)),
    )
    return `| ${name} | ${cells.join(' | ')} |`
  })
  return [
    `| source | label | ${LENGTHS.map(({ name }) => name).join(' | ')} |\n|---|---|---:|---:|---:|`,
    ...rows,
  ].join('\n')
}

/** Families of sources that borrow from each other leave together, or the model has seen what it is asked. */
const FAMILIES = [
  ['advbench', 'tdc2023', 'maliciousinstruct', 'catqa', 'dangerousqa'],
  ['dna', 'forbiddenq', 'strongreject', 'harmbench'],
  ['harmfulqa', 'medsafety'],
  ['davidson', 'rtp-id', 'rtp-sex', 'rtp-threat'],
  ['edos', 'toxigen'],
  ['surge'],
  ['wildguard-train'],
  ['aegis'],
  ['small-talk'],
  ['selfinst-seed', 'gsm8k'],
]

/** Leave-one-family-out: each source judged, at its own chosen threshold, by a model that saw none of its family. */
export function crossValidation(examples: readonly Example[], vectors: Vectors, families = FAMILIES): string {
  const rows = families.flatMap((family) => {
    const { fit, choose } = splitForChoosing(examples)
    const without = (list: readonly Example[]): Example[] => list.filter(({ source }) => !family.includes(source))
    const parameters = buildOn(without(fit), without(choose), vectors)
    const left = examples.filter(({ source }) => family.includes(source))
    return table(judgeAll(parameters, left)).split('\n').slice(2)
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
