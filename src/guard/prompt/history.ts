// Chooses how much earlier conversation stands in a prompt: the newest turns that fit. The first turn that is kept
// moves in steps, so that a new turn of a growing chat does not change every prompt and every piece.
import type { Conversation, Turn } from '../../types.js'
import { escapeText } from './escape.js'
import type { ImageSupport } from './template.js'
import { estimateTokens } from './tokens.js'

/** Tokens of the label and the blank lines around a turn. */
export const TURN_TOKENS = 12

export interface HistoryRoom {
  /** Tokens for text. */
  readonly text: number
  /** Tokens for text and images together. */
  readonly all: number
  /** The number of images that still fit into the prompt. */
  readonly images: number
  /** The first turn that is kept moves in steps of this many tokens. */
  readonly step: number
}

/** The newest turns that fit together, without a gap. */
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
 * The index after the first whole step at or after `from`; `from` itself when no turn would be left. The turns before
 * the index are judged in pieces of their own. Those pieces stay the same, and remembered, until the chat has grown
 * by a step.
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

/** Tokens are counted once per turn object, because every check of a stream brings the same turns. */
function tokensOf(turn: Turn): number {
  let tokens = counted.get(turn)
  if (tokens === undefined) {
    tokens = estimateTokens(escapeText(turn.text, { vision: true })) + TURN_TOKENS
    counted.set(turn, tokens)
  }
  return tokens
}

const counted = new WeakMap<Turn, number>()
