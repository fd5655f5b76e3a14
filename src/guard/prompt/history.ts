// How much of what was said before stands in a prompt: the newest turns that fit. The first one kept moves in steps, so
// that a growing chat does not change every prompt and every piece with each of its turns.
import type { Conversation, Turn } from '../../types.js'
import { escapeText } from './escape.js'
import type { ImageSupport } from './template.js'
import { estimateTokens } from './tokens.js'

/** Label and blank lines around a turn. */
export const TURN_TOKENS = 12

export interface HistoryRoom {
  /** Tokens for text. */
  readonly text: number
  /** Tokens for text and images together. */
  readonly all: number
  /** Images that the prompt may still take. */
  readonly images: number
  /** The first turn kept moves in steps of this many tokens, not with every turn of a growing chat. */
  readonly step: number
}

/** The newest turns without a gap that fit together. */
export function newest(past: Conversation, room: HistoryRoom, support: ImageSupport | undefined): Conversation {
  const picturesOf = ({ images = [] }: Turn): number => (support === undefined ? 0 : images.length)
  let { text, all, images } = room
  let from = past.length
  while (from > 0) {
    const turn = past[from - 1]!
    const tokens = tokensOf(turn)
    text -= tokens
    all -= tokens + picturesOf(turn) * (support?.tokens ?? 0)
    images -= picturesOf(turn)
    if (text < 0 || all < 0 || images < 0) break
    from--
  }
  return from === 0 ? past : past.slice(atStep(past, from, room.step))
}

/**
 * The end of the first whole step at or after `from`. What stands before it is judged in pieces of its own, and
 * these stay the same, and remembered, until the chat has grown by a step. `from` where no turn would be left.
 */
function atStep(past: Conversation, from: number, step: number): number {
  let tokens = 0
  for (const [index, turn] of past.entries()) {
    const steps = Math.floor(tokens / step)
    tokens += tokensOf(turn)
    if (index + 1 >= from && Math.floor(tokens / step) > steps) return index + 1 < past.length ? index + 1 : from
  }
  return from
}

/** Counted once a turn: the checks of a stream come with the same turns each time. */
function tokensOf(turn: Turn): number {
  let tokens = counted.get(turn)
  if (tokens === undefined) {
    tokens = estimateTokens(escapeText(turn.text, { vision: true })) + TURN_TOKENS
    counted.set(turn, tokens)
  }
  return tokens
}

const counted = new WeakMap<Turn, number>()
