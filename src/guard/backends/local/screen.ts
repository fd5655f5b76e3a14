// Scores one text with the word list and the linear model together, over a sliding window, so that a long harmless
// text cannot dilute a short harmful one. The guard and the trainer share this file, so that thresholds are chosen on
// exactly the scores that are served.
import { features, type Features } from './features.js'
import { isForeign } from './language.js'
import { type Listed, Matches } from './lexicon.js'
import { CATEGORY_IDS, createModel, type Model, type Parameters } from './model.js'
import { normalise } from './normalise.js'
import { Words } from './words.js'

/**
 * Characters of one window, and the distance between two window starts. The overlap is longer than any phrase of the
 * word list.
 */
const WINDOW = 500
const STEP = 380
/**
 * The length of the smaller windows that the model reads where the word list matched, so that a request of ten words
 * does not drown in a page of others.
 */
const CLOSE_UP = 64
const CLOSE_STEP = 20
/** The score of a text with a slur or an explicit word. The list and the model judge independently: each is enough. */
const DECIDED = 0.95
/** Every category whose share is at least this fraction of the likeliest one's is named too. */
const ALSO = 0.85

export interface Finding {
  /** Probability of unsafe, 0 to 1. */
  readonly score: number
  /**
   * The violated categories, likeliest first. Meaningful only when `score` is high. Never empty. Only the worst window
   * of a text is asked.
   */
  categories(): readonly string[]
  /** Whether the word list alone matched. */
  readonly listed: boolean
}

/** A part of a text, as a range of its words, and what the word list says of it. */
export interface Part {
  readonly words: Words
  readonly first: number
  readonly end: number
  readonly listed: Listed
}

/** The parts of a text that are judged one by one; at least one. */
export function windows(text: string): readonly Part[] {
  const words = new Words(normalise(text))
  const matches = new Matches(words)
  const parts: Part[] = []
  const slice = (size: number, step: number, keeps: (listed: Listed) => boolean): void => {
    for (let start = 0; start === 0 || start + size - step < words.text.length; start += step) {
      const first = words.from(start)
      const end = words.from(start + size)
      const listed = matches.within(first, end)
      if (keeps(listed)) parts.push({ words, first, end, listed })
    }
  }
  slice(WINDOW, STEP, () => true)
  if (words.text.length > CLOSE_UP && parts.some(({ listed }) => listed.categories.length > 0))
    slice(CLOSE_UP, CLOSE_STEP, ({ categories }) => categories.length > 0)
  return parts
}

export const worse = (a: Finding, b: Finding): Finding => (b.score > a.score ? b : a)

function named(model: Model, found: Features, listed: readonly string[]): readonly string[] {
  const shares = model.categories(found)
  const ranked = CATEGORY_IDS.map((id, index) => ({ id, share: shares[index] ?? 0 })).sort((a, b) => b.share - a.share)
  const likely = ranked
    .filter(({ share }, rank) => (rank === 0 && listed.length === 0) || share >= ALSO)
    .map(({ id }) => id)
  return [...new Set([...listed, ...likely])]
}

export type Screen = ReturnType<typeof createScreen>

export function createScreen(parameters: Parameters) {
  const model = createModel(parameters)
  const window = ({ words, first, end, listed: { categories, asks, decides } }: Part): Finding => {
    const found = features(words, first, end)
    const linear = model.score({ ...found, listed: categories, asks })
    return {
      score: decides ? 1 - (1 - linear) * (1 - DECIDED) : linear,
      categories: () => named(model, found, categories),
      listed: categories.length > 0,
    }
  }
  return { windows, window, isForeign, text: (text: string) => windows(text).map(window).reduce(worse) }
}
