// What a guard's scores allow: a table of thresholds, the one in use and a recommended one among them, how well scores
// are calibrated, and how each category and each kind of text fares. Pure functions.
import { averagePrecision, confusion, rates, type Rates, type Scored, share, wilson } from './metrics.js'
import type { Answer } from './judge-all.js'
import type { Row } from './rows.js'

export interface Judged extends Answer {
  readonly row: Row
  readonly unsafe: boolean
  readonly flagged: boolean
}

/** The texts with at least this score are flagged. */
export interface OperatingPoint extends Rates {
  /** `own`: the guard's own word, without a threshold. */
  readonly threshold: number | 'own'
  /** The share of texts below it: a second guard behind this one need not be asked about them. */
  readonly saved: number
  readonly mark?: 'now' | 'recommended'
}

const GRID = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]

/** `now`: the threshold in use; undefined where the guard's own word decides. */
export function operatingPoints(
  judged: readonly Judged[],
  now: number | undefined,
  recommended?: number,
): readonly OperatingPoint[] {
  const point = (threshold: number | 'own', mark?: OperatingPoint['mark']): OperatingPoint => {
    const flagged = (one: Judged): boolean => (threshold === 'own' ? one.flagged : (one.score ?? 0) >= threshold)
    const rows = judged.map((one) => ({ unsafe: one.unsafe, flagged: flagged(one) }))
    const below = rows.filter((row) => !row.flagged).length
    return { threshold, ...rates(confusion(rows)), saved: below / Math.max(1, rows.length), ...(mark && { mark }) }
  }
  const marked = new Map<number, OperatingPoint['mark']>(GRID.map((threshold) => [threshold, undefined]))
  if (recommended !== undefined) marked.set(recommended, 'recommended')
  if (now !== undefined) marked.set(now, 'now')
  const points = [...marked].sort(([a], [b]) => a - b).map(([threshold, mark]) => point(threshold, mark))
  return now === undefined ? [point('own', 'now'), ...points] : points
}

const BINS = 10

/** How far the scores are from the truth. */
export function calibration(rows: readonly Scored[]) {
  const bins = Array.from({ length: BINS }, (_, at) => {
    const members = rows.filter(({ score }) => Math.min(BINS - 1, Math.floor(score * BINS)) === at)
    const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length
    return {
      from: at / BINS,
      rows: members.length,
      score: members.length === 0 ? 0 : mean(members.map(({ score }) => score)),
      unsafe: members.length === 0 ? 0 : mean(members.map(({ unsafe }) => Number(unsafe))),
    }
  }).filter((bin) => bin.rows > 0)
  return {
    /** The mean distance of score and truth, weighted by texts. 0 is perfect. */
    expectedError: bins.reduce((sum, bin) => sum + bin.rows * Math.abs(bin.score - bin.unsafe), 0) / rows.length,
    /** The mean squared distance of score and label. */
    brier: rows.reduce((sum, { score, unsafe }) => sum + (score - Number(unsafe)) ** 2, 0) / rows.length,
    bins,
  }
}

/** Each labelled category, measured against the safe texts alone, as the Llama Guard paper does (1-vs-benign). */
export function categoryRates(judged: readonly Judged[]) {
  const benign = judged.filter(({ unsafe }) => !unsafe)
  const labelled = judged.flatMap((one) => {
    const labels = one.row.categories ?? []
    return one.unsafe && labels.length > 0 ? [{ ...one, labels }] : []
  })
  const names = [...new Set(labelled.flatMap(({ labels }) => labels))]
  return names
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => {
      const rows = labelled.filter(({ labels }) => labels.includes(name))
      const named = labelled.filter(({ flagged, categories }) => flagged && categories.includes(name))
      const scored = [...rows, ...benign].flatMap(({ unsafe, score }) => (score === undefined ? [] : { unsafe, score }))
      return {
        name,
        rows: rows.length,
        /** The share of its texts that were flagged, under whatever category. */
        recall: share(rows.filter(({ flagged }) => flagged).length, rows.length),
        auprc: scored.length === rows.length + benign.length ? averagePrecision(scored) : undefined,
        /** The share of the unsafe texts that the guard puts under it whose label has it. */
        precision: share(named.filter(({ labels }) => labels.includes(name)).length, named.length),
        /** Safe texts that the guard puts under it. */
        falseAlarms: benign.filter(({ flagged, categories }) => flagged && categories.includes(name)).length,
      }
    })
}

const LENGTHS = [100, 500, 2000]
const SCRIPTS = 'Latin Cyrillic Greek Arabic Hebrew Devanagari Thai Hangul Kana Han'.split(' ')

export const lengthOf = (characters: number): string => {
  const at = LENGTHS.findIndex((most) => characters <= most)
  return at < 0 ? `over ${LENGTHS.at(-1)}` : `${at === 0 ? 0 : (LENGTHS[at - 1] ?? 0) + 1} to ${LENGTHS[at]}`
}

/** The script with the most letters. It stands for a language where the record names none. */
export function scriptOf(text: string): string {
  const counts = SCRIPTS.map((name) => {
    const class_ = name === 'Kana' ? String.raw`\p{Script=Hiragana}\p{Script=Katakana}` : `\\p{Script=${name}}`
    return { name, count: text.match(new RegExp(`[${class_}]`, 'gu'))?.length ?? 0 }
  })
  // Japanese writes Han too. A text with kana is Japanese.
  const kana = counts.find(({ name }) => name === 'Kana')
  const most = counts.reduce((best, one) => (one.count > best.count ? one : best))
  if (most.count === 0) return 'no letters'
  return most.name === 'Han' && (kana?.count ?? 0) > 0 ? 'Kana' : most.name
}

/** The texts of each length, language and source. */
export function slices(judged: readonly Judged[]) {
  const text = ({ row }: Judged): string => row.conversation.map((turn) => turn.text).join('\n')
  const kinds = {
    source: ({ row }: Judged) => row.source,
    length: (one: Judged) => lengthOf(text(one).length),
    language: (one: Judged) => one.row.language ?? scriptOf(text(one)),
  }
  return Object.entries(kinds).flatMap(([kind, nameOf]) => {
    const members = new Map<string, Judged[]>()
    for (const one of judged) {
      const name = nameOf(one)
      const found = members.get(name)
      if (found === undefined) members.set(name, [one])
      else found.push(one)
    }
    return [...members]
      .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
      .map(([name, rows]) => {
        const counts = confusion(rows)
        const unsafe = counts.truePositives + counts.falseNegatives
        const measured = rates(counts)
        // Precision and F1 need both classes. In a corpus of one class they would only repeat its label.
        const single = unsafe === 0 || unsafe === rows.length
        return {
          kind,
          name,
          rows: rows.length,
          unsafe,
          rates: single ? { ...measured, precision: undefined, f1: undefined } : measured,
          recall: wilson(counts.truePositives, unsafe),
          falsePositiveRate: wilson(counts.falsePositives, rows.length - unsafe),
        }
      })
  })
}
