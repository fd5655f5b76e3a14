// Cuts a conversation to what the guard can read: the judged turn whole, the newest context beside it, long turns in
// overlapping pieces. Where a piece ends depends only on the text before that point. Appended text therefore never
// changes earlier pieces, and their verdicts stay remembered.
import { LlamaGuardError } from '../../errors.js'
import type { Conversation, Image, Turn } from '../../types.js'
import { firstSentenceEnd, lastSentenceEnd, wholeCharacter } from '../../utils/sentences.js'
import { escapedOf } from './escape.js'
import { newest, tokensOf, TURN_TOKENS, type TurnReader } from './history.js'
import type { ImageSupport } from './template.js'
import { MOST_PER_BYTE, type TokenCounter } from './tokens/index.js'

/**
 * The most tokens of conversation in one prompt, even where the model can read more. A long context makes the verdict
 * worse and costs prefill time. A policy fits beside it in 8192 tokens, to which `deploy` sets an endpoint.
 */
export const CONVERSATION_TOKENS = 7168
/** The most pieces of one turn, whatever `maxChecks` allows. */
export const MAX_PIECES = 256
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
/** The most tokens that the next piece repeats when a piece ends with a sentence, so that nothing hides at the cut. */
const OVERLAP_TOKENS = 128
/** The share of a piece that is repeated when it ends within a sentence. */
const OVERLAP_WITHIN = 0.12
/** The share of a piece in which its last sentence may end. A longer sentence is cut. */
const SENTENCE_SHARE = 0.25
/** The share of a piece up to which a sentence that was cut is repeated whole in the next piece. */
const LONG_SENTENCE_SHARE = 0.5

export interface Limits {
  /** Tokens of the prompt without any turn. */
  readonly policyTokens: number
  readonly counter: TokenCounter
  readonly images?: ImageSupport | undefined
}

/** The number of tokens left for turns. */
export function roomFor(contextTokens: number, policyTokens: number): number {
  return Math.min(contextTokens - policyTokens - GENERATED_TOKENS, CONVERSATION_TOKENS)
}

/**
 * The conversation itself when it fits, otherwise pieces that fit. Older turns that fit no prompt are left out;
 * guard/pieces.ts has them judged.
 * @throws LlamaGuardError `too_many_checks` beyond {@link MAX_PIECES}.
 */
export function fitConversation(
  conversation: Conversation,
  contextTokens: number,
  { policyTokens, counter, images }: Limits,
): readonly Conversation[] {
  const judged = conversation.at(-1)
  if (judged === undefined)
    throw new LlamaGuardError(
      'internal_error',
      'An empty conversation came to the guard. It needs at least the turn to judge.',
    )
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
  const groups = imageGroups(judged.images ?? [], total, images)
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
  const texts = fits ? [judged.text] : cut(text, textRoom - spent, counter)
  const [first = '', ...more] = texts
  const turns = [
    ...groups.map((group) => turnOf(judged, first, group)),
    ...more.map((piece) => turnOf(judged, piece, [])),
  ]
  if (turns.length > MAX_PIECES) throw tooMany()
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

/**
 * The overlapping pieces of a text that is longer than `budget` tokens. It stops one piece past the bound, and the
 * caller refuses the text.
 */
function cut(text: string, budget: number, counter: TokenCounter): readonly string[] {
  const pieces: string[] = []
  let start = 0
  while (pieces.length <= MAX_PIECES) {
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

/**
 * The judged turn's images in groups of as many as one prompt takes. Each group begins with the last image of the
 * group before, so that two neighbouring images that form one picture are seen together.
 */
function imageGroups(
  all: readonly Image[],
  total: number,
  images: ImageSupport | undefined,
): readonly (readonly Image[])[] {
  const size = images === undefined ? all.length : Math.min(images.perPrompt, Math.floor(total / 2 / images.tokens))
  if (all.length <= size || all.length === 0) return [all]
  const groups: (readonly Image[])[] = []
  const step = Math.max(1, size - 1)
  // Stops one group past the bound, and the caller refuses the turn.
  for (let at = 0; groups.length <= MAX_PIECES && (at === 0 || at < all.length - (size > 1 ? 1 : 0)); at += step)
    groups.push(all.slice(at, at + Math.max(1, size)))
  return groups
}

/**
 * The context for a model that takes one image: without images when the judged turn has one, otherwise with its
 * newest image only.
 */
function relevantImages(past: Conversation, judged: Turn, images: ImageSupport | undefined): Conversation {
  if (images?.placement !== 'lead' || !past.some((turn) => turn.images?.length)) return past
  const keeper = judged.images?.length ? -1 : past.findLastIndex((turn) => turn.images?.length)
  return past.map((turn, index) => {
    const wanted = index === keeper ? 1 : 0
    return (turn.images?.length ?? 0) === wanted ? turn : turnOf(turn, turn.text, (turn.images ?? []).slice(0, wanted))
  })
}

function turnOf({ role }: Turn, text: string, images: readonly Image[]): Turn {
  return images.length === 0 ? { role, text } : { role, text, images }
}

function tooMany(): LlamaGuardError {
  return new LlamaGuardError(
    'too_many_checks',
    `One turn needs more than ${MAX_PIECES} guard calls. Send less text, or use a guard with a longer context.`,
  )
}

function tooLong(message: string): LlamaGuardError {
  return new LlamaGuardError('guard_input_too_long', message)
}
