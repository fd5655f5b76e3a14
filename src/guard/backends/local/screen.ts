// Scores one text with the word list and the linear model together, over a sliding window, so that a long harmless
// text cannot dilute a short harmful one. The guard and the trainer share this file, so that thresholds are chosen on
// exactly the scores that are served.
import { features } from './features.js'
import { isForeign } from './language.js'
import { asks, decides, hazards } from './lexicon.js'
import { CATEGORY_IDS, createModel, type Model, type Parameters } from './model.js'
import { normalise } from './normalise.js'

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
  /** The violated categories, likeliest first. Meaningful only when `score` is high. Never empty. */
  readonly categories: readonly string[]
  /** Whether the word list alone matched. */
  readonly listed: boolean
}

/** A normalised part of a text, and the ids of the categories whose words or phrases the word list found in it. */
export interface Part {
  readonly text: string
  readonly listed: readonly string[]
}

export interface Screen {
  /** The parts of a text that are judged one by one; at least one. */
  windows(text: string): readonly Part[]
  window(part: Part): Finding
  text(text: string): Finding
  /** Whether a text is in a language that the screen does not know. */
  isForeign(text: string): boolean
}

function slices(text: string, size: number, step: number): string[] {
  const parts: string[] = []
  for (let start = 0; start === 0 || start + size - step < text.length; start += step)
    parts.push(text.slice(start, start + size))
  return parts
}

const partOf = (text: string): Part => ({ text, listed: hazards(text) })

export function windows(text: string): readonly Part[] {
  return slices(normalise(text), WINDOW, STEP).flatMap((window) => {
    const part = partOf(window)
    if (window.length <= CLOSE_UP || part.listed.length === 0) return [part]
    return [
      part,
      ...slices(window, CLOSE_UP, CLOSE_STEP)
        .map(partOf)
        .filter(({ listed }) => listed.length > 0),
    ]
  })
}

export const worse = (a: Finding, b: Finding): Finding => (b.score > a.score ? b : a)

function named(model: Model, found: ReturnType<typeof features>, listed: readonly string[]): readonly string[] {
  const shares = model.categories(found)
  const ranked = CATEGORY_IDS.map((id, index) => ({ id, share: shares[index] ?? 0 })).sort((a, b) => b.share - a.share)
  const likely = ranked
    .filter(({ share }, rank) => (rank === 0 && listed.length === 0) || share >= ALSO)
    .map(({ id }) => id)
  return [...new Set([...listed, ...likely])]
}

export function createScreen(parameters: Parameters): Screen {
  const model = createModel(parameters)
  const window = ({ text, listed }: Part): Finding => {
    const found = features(text)
    const linear = model.score({ ...found, listed, asks: asks(text) })
    return {
      score: decides(text) ? 1 - (1 - linear) * (1 - DECIDED) : linear,
      // Only the worst window of a text is asked.
      get categories() {
        return named(model, found, listed)
      },
      listed: listed.length > 0,
    }
  }
  return { windows, window, isForeign, text: (text) => windows(text).map(window).reduce(worse) }
}
