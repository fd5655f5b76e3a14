// Fits a conversation into what the guard can read: the judged turn whole or in overlapping pieces, and the newest
// context beside it. Cuts depend only on the text before them, and the first turn that is kept moves in steps: a
// growing chat keeps its pieces, and their verdicts stay remembered.
import { LlamaGuardError } from '../../types/errors.js'
import type { Conversation, Turn } from '../../types.js'
import { firstSentenceEnd, lastSentenceEnd, wholeCharacter } from '../../utils/sentences.js'
import { escapedOf } from './escape.js'
import { imageGroups, relevantImages, turnOf } from './image.js'
import type { ImageSupport } from './template.js'
import { MOST_PER_BYTE, type TokenCounter } from './tokens/counter.js'

/**
 * The most tokens of conversation in one prompt, even where the model can read more. A long context makes the verdict
 * worse and costs prefill time. A policy fits beside it in 8192 tokens, to which `deploy` sets an endpoint.
 */
export const CONVERSATION_TOKENS = 7168
/** The most pieces of one conversation, whatever `maxChecks` allows, and of one reply. */
export const MOST_PIECES = 256
/** Tokens kept free for the model's answer. */
export const GENERATED_TOKENS = 32
/** A policy that leaves fewer tokens than this is refused, because no conversation would fit beside it. */
export const LEAST_ROOM = 256
/** The share of the room that context may keep beside a turn that is cut. */
const HISTORY_SHARE = 0.25
/**
 * The share of the room, and the most tokens, that context may take beside a reply. It stays the same while the reply
 * grows, so that every check of the reply begins with the same prompt.
 */
const REPLY_CONTEXT_SHARE = 0.5
const REPLY_CONTEXT_TOKENS = 2048

export interface Limits {
  /** Tokens of the prompt without any turn. */
  readonly policyTokens: number
  readonly counter: TokenCounter
  readonly images?: ImageSupport | undefined
}

/** @throws LlamaGuardError `internal_error` for a conversation without a turn. */
export function judgedTurn(conversation: Conversation): Turn {
  const judged = conversation.at(-1)
  if (judged !== undefined) return judged
  throw new LlamaGuardError('internal_error', 'An empty conversation came to the guard. It needs the turn to judge.')
}

/** The number of tokens left for turns. */
export function roomFor(contextTokens: number, policyTokens: number): number {
  return Math.min(contextTokens - policyTokens - GENERATED_TOKENS, CONVERSATION_TOKENS)
}

/**
 * The conversation itself when it fits, otherwise pieces that fit. Older turns that fit no prompt are left out;
 * guard/pieces.ts has them judged.
 * @throws LlamaGuardError `too_many_checks` beyond {@link MOST_PIECES}.
 */
export function fitConversation(
  conversation: Conversation,
  contextTokens: number,
  { policyTokens, counter, images }: Limits,
): readonly Conversation[] {
  const judged = judgedTurn(conversation)
  const room = roomFor(contextTokens, policyTokens)
  if (room < LEAST_ROOM)
    throw tooLong(
      `The policy takes about ${policyTokens} of the guard's ${contextTokens} tokens, which leaves no ` +
        'room for a conversation. Shorten the policy.',
    )

  const vision = images !== undefined
  if (surelyFits(conversation, room, vision)) return [conversation]
  // Images do not count against the cap on text, because five of them alone would use all of it.
  const total = contextTokens - policyTokens - GENERATED_TOKENS
  const groups = imageGroups(judged.images ?? [], total, images, MOST_PIECES)
  const pictures = Math.max(...groups.map((group) => group.length))
  const forImages = pictures * (images?.tokens ?? 0)
  const textRoom = Math.min(room, total - forImages) - TURN_TOKENS
  if (textRoom < LEAST_ROOM / 2)
    throw tooLong("One image takes the whole of the guard's context. Use an endpoint with a longer one.")

  const past = relevantImages(conversation.slice(0, -1), judged, images)
  const text = escapedOf(judged, vision)
  const whole = counter.reach(text, 0, textRoom)
  const fits = whole.end === text.length
  const share = room * HISTORY_SHARE
  const rest = fits ? textRoom - whole.tokens : share
  const reader = { counter, images }
  const history = newest(
    past,
    {
      text: judged.role === 'Agent' ? Math.min(rest, contextOfReply(past, room, reader)) : rest,
      all: total - forImages - TURN_TOKENS - (fits ? whole.tokens : textRoom - share),
      images: images === undefined ? Infinity : images.perPrompt - pictures,
      step: share,
    },
    reader,
  )
  if (
    fits &&
    groups.length === 1 &&
    history.length === past.length &&
    history.every((turn, index) => turn === conversation[index])
  )
    return [conversation]

  // With images the context was chosen for the whole share.
  const spent = history.some((turn) => turn.images?.length)
    ? share
    : history.reduce((sum, turn) => sum + tokensOf(turn, reader), 0)
  const texts = fits ? [judged.text] : cutText(text, textRoom - spent, counter, MOST_PIECES)
  const [first = '', ...more] = texts
  const turns = [
    ...groups.map((group) => turnOf(judged, first, group)),
    ...more.map((piece) => turnOf(judged, piece, [])),
  ]
  if (turns.length > MOST_PIECES) throw tooMany()
  return turns.map((turn) => [...history, turn])
}

/**
 * Decides by length alone that a short conversation without images fits, so that its tokens need not be counted.
 */
function surelyFits(conversation: Conversation, room: number, vision: boolean): boolean {
  let left = room
  for (const turn of conversation) {
    left -= TURN_TOKENS
    // A byte is a token at most. The characters are compared first, so that a long text is not escaped for nothing.
    if (turn.images !== undefined || turn.text.length * MOST_PER_BYTE > left) return false
    left -= Buffer.byteLength(escapedOf(turn, vision)) * MOST_PER_BYTE
    if (left < 0) return false
  }
  return true
}

/** The most tokens of context beside a reply. The newest turn may take more, because it is what the reply answers. */
function contextOfReply(past: Conversation, room: number, reader: TurnReader): number {
  const newestTurn = past.at(-1)
  const most = Math.min(room * REPLY_CONTEXT_SHARE, REPLY_CONTEXT_TOKENS)
  return newestTurn === undefined ? most : Math.max(most, tokensOf(newestTurn, reader))
}

function tooMany(): LlamaGuardError {
  return new LlamaGuardError(
    'too_many_checks',
    `One turn needs more than ${MOST_PIECES} guard calls. Send less text, or use a guard with a longer context.`,
  )
}

function tooLong(message: string): LlamaGuardError {
  return new LlamaGuardError('guard_input_too_long', message)
}

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
