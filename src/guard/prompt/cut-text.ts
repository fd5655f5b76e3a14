// Cuts a long text into overlapping pieces. Where a piece ends depends only on the text before that point. Appended
// text therefore never changes earlier pieces, and their verdicts stay remembered.
import { firstSentenceEnd, lastSentenceEnd, wholeCharacter } from '../../utils/sentences.js'
import type { TokenCounter } from './tokens/index.js'

/** The most tokens that the next piece repeats when a piece ends with a sentence, so that nothing hides at the cut. */
const OVERLAP_TOKENS = 128
/** The share of a piece that is repeated when it ends within a sentence. */
const OVERLAP_WITHIN = 0.12
/** The share of a piece in which its last sentence may end. A longer sentence is cut. */
const SENTENCE_SHARE = 0.25
/** The share of a piece up to which a sentence that was cut is repeated whole in the next piece. */
const LONG_SENTENCE_SHARE = 0.5

/**
 * The overlapping pieces of a text that is longer than `budget` tokens. It stops one piece past `most`, and the
 * caller refuses the text.
 */
export function cutText(text: string, budget: number, counter: TokenCounter, most: number): readonly string[] {
  const pieces: string[] = []
  let start = 0
  while (pieces.length <= most) {
    const { end } = counter.reach(text, start, budget)
    if (end >= text.length) {
      pieces.push(text.slice(start))
      break
    }
    const size = end - start
    const sentence = lastSentenceEnd(text, end - Math.floor(size * SENTENCE_SHARE), end)
    const stop = sentence ?? end
    pieces.push(text.slice(start, stop))
    const overlap = sentence === undefined ? OVERLAP_WITHIN : Math.min(OVERLAP_WITHIN, OVERLAP_TOKENS / budget)
    const repeated = wholeCharacter(text, stop - Math.max(1, Math.floor(size * overlap)))
    // A sentence that was cut is repeated whole. Otherwise the next piece begins with a whole sentence, if one begins
    // in the first half of what is repeated.
    const whole =
      sentence === undefined
        ? lastSentenceEnd(text, end - Math.floor(size * LONG_SENTENCE_SHARE), repeated)
        : firstSentenceEnd(text, repeated, (repeated + stop) / 2)
    start = whole ?? repeated
  }
  return pieces
}
