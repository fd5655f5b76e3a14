// One text in, one score out: the word list and the linear model together, over a sliding window, so that a long harmless text cannot dilute a short harmful one.
// Shared by the guard and the trainer: thresholds are chosen on exactly the numbers that are served.
import { features } from './features.js'
import { asks, hazards, slur } from './lexicon.js'
import { CATEGORY_IDS, createModel, type Model, type Parameters } from './model.js'
import { normalise } from './normalise.js'

/** Characters of one window, and how far the next one starts. Overlap is more than any phrase of the word list. */
const WINDOW = 800
const STEP = 600
/** Probability that a slur alone stands for. The word list and the model are two witnesses, and for slurs either is enough. */
const SLUR = 0.95
/** A category is named beside the likeliest one from this share on. */
const ALSO = 0.85

export interface Finding {
  /** Probability of unsafe, 0 to 1. */
  readonly score: number
  /** What it would be, likeliest first; meaningful only when `score` is high. Never empty. */
  readonly categories: readonly string[]
  /** Whether the word list alone matched. */
  readonly listed: boolean
}

export interface Screen {
  /** Parts of a text that are judged one by one. At least one. */
  windows(text: string): readonly string[]
  window(normalised: string): Finding
  text(text: string): Finding
}

export function windows(text: string): readonly string[] {
  const plain = normalise(text)
  const parts: string[] = []
  for (let start = 0; start === 0 || start + WINDOW - STEP < plain.length; start += STEP) parts.push(plain.slice(start, start + WINDOW))
  return parts
}

export const worse = (a: Finding, b: Finding): Finding => (b.score > a.score ? b : a)

function named(model: Model, found: ReturnType<typeof features>, listed: readonly string[]): readonly string[] {
  const shares = model.categories(found)
  const ranked = CATEGORY_IDS.map((id, index) => ({ id, share: shares[index] ?? 0 })).sort((a, b) => b.share - a.share)
  const likely = ranked.filter(({ share }, rank) => (rank === 0 && listed.length === 0) || share >= ALSO).map(({ id }) => id)
  return [...new Set([...listed, ...likely])]
}

export function createScreen(parameters: Parameters): Screen {
  const model = createModel(parameters)
  const window = (normalised: string): Finding => {
    const found = features(normalised)
    const listed = hazards(normalised)
    const linear = model.score({ ...found, listed, asks: asks(normalised) })
    const score = slur(normalised) ? 1 - (1 - linear) * (1 - SLUR) : linear
    return { score, categories: named(model, found, listed), listed: listed.length > 0 }
  }
  return { windows, window, text: (text) => windows(text).map(window).reduce(worse) }
}
