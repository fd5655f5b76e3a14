// Chooses how much earlier conversation stands in a prompt: the newest turns that fit. The first turn that is kept
// moves in steps, so that a new turn of a growing chat does not change every prompt and every piece.
import type { Conversation, Turn } from '../../types.js'
import { escapedOf } from './escape.js'
import type { ImageSupport } from './template.js'
import type { TokenCounter } from './tokens/index.js'

/** Tokens of the label and the blank lines around a turn. */
export const TURN_TOKENS = 12
/** Characters of a token of English. */
const CHARS_PER_TOKEN = 4

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

/** How the model reads turns. */
export interface TurnReader {
  readonly counter: TokenCounter
  readonly images: ImageSupport | undefined
}

/** The newest turns that fit together, without a gap. */
export function newest(past: Conversation, room: HistoryRoom, reader: TurnReader): Conversation {
  const support = reader.images
  const picturesOf = ({ images = [] }: Turn): number => (support === undefined ? 0 : images.length)
  let { text, all, images } = room
  let from = past.length
  while (from > 0) {
    const turn = past[from - 1]!
    const tokens = tokensOf(turn, reader)
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
 * by a step. Steps are counted in characters, so that the tokens of turns that are left out need not be counted.
 */
function atStep(past: Conversation, from: number, step: number): number {
  const size = step * CHARS_PER_TOKEN
  let chars = 0
  for (const [index, { text }] of past.entries()) {
    const steps = Math.floor(chars / size)
    chars += text.length + TURN_TOKENS * CHARS_PER_TOKEN
    if (index + 1 >= from && Math.floor(chars / size) > steps) return index + 1 < past.length ? index + 1 : from
  }
  return from
}

/**
 * Tokens are counted once per turn object, because every check of a stream brings the same turns. The text is compared,
 * because a caller may change a turn and judge it again.
 */
export function tokensOf(turn: Turn, { counter, images }: TurnReader): number {
  let counted = COUNTED.get(counter)
  if (counted === undefined) COUNTED.set(counter, (counted = new WeakMap()))
  const { text } = turn
  const known = counted.get(turn)
  if (known?.text === text) return known.tokens
  const tokens = Math.ceil(counter.count(escapedOf(turn, images !== undefined))) + TURN_TOKENS
  counted.set(turn, { text, tokens })
  return tokens
}

interface Counted {
  readonly text: string
  readonly tokens: number
}

const COUNTED = new WeakMap<TokenCounter, WeakMap<Turn, Counted>>()
