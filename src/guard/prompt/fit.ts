// Cuts a conversation to what the guard can read: the judged turn whole, the newest context beside it, long turns in
// overlapping pieces. Where a piece ends depends only on the text before that point. Appended text therefore never
// changes earlier pieces, and their verdicts stay remembered.
import { LlamaGuardError } from '../../errors.js'
import type { Conversation, Image, Turn } from '../../types.js'
import { escapeText, isPlain } from './escape.js'
import { newest, TURN_TOKENS } from './history.js'
import type { ImageSupport } from './template.js'
import { PLAIN_TOKENS, reach } from './tokens.js'

/**
 * The most tokens of conversation in one prompt, even where the model can read more. A long context makes the verdict
 * worse and costs prefill time.
 */
export const CONVERSATION_TOKENS = 8192
/** The most pieces of one turn, whatever `maxChecks` allows. */
export const MAX_PIECES = 256
/** Tokens kept free for the model's answer. */
export const GENERATED_TOKENS = 32
/** A policy that leaves fewer tokens than this is refused, because no conversation would fit beside it. */
export const LEAST_ROOM = 256
/** The share of the room that context may keep beside a turn that is cut. */
const HISTORY_SHARE = 0.25
/** The share of a piece that the next piece repeats, so that nothing can hide at the cut. */
const OVERLAP = 0.12

export interface Limits {
  /** Tokens of the prompt without any turn. */
  readonly policyTokens: number
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
  { policyTokens, images }: Limits,
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

  if (surelyFits(conversation, room)) return [conversation]
  const vision = images !== undefined
  // Images do not count against the cap on text, because five of them alone would use all of it.
  const total = contextTokens - policyTokens - GENERATED_TOKENS
  const groups = imageGroups(judged.images ?? [], total, images)
  const pictures = Math.max(...groups.map((group) => group.length))
  const forImages = pictures * (images?.tokens ?? 0)
  const textRoom = Math.min(room, total - forImages) - TURN_TOKENS
  if (textRoom < LEAST_ROOM / 2)
    throw tooLong("One image takes the whole of the guard's context. Use an endpoint with a longer one.")

  const past = relevantImages(conversation.slice(0, -1), judged, images)
  const text = escapeText(judged.text, { vision })
  const whole = reach(text, 0, textRoom)
  const fits = whole.end === text.length
  const share = room * HISTORY_SHARE
  const budget = fits || past.length === 0 ? textRoom : textRoom - share
  const history = newest(
    past,
    {
      text: fits ? textRoom - whole.tokens : share,
      all: total - forImages - TURN_TOKENS - (fits ? whole.tokens : budget),
      images: images === undefined ? Infinity : images.perPrompt - pictures,
      step: share,
    },
    images,
  )
  if (
    fits &&
    groups.length === 1 &&
    history.length === past.length &&
    history.every((turn, index) => turn === conversation[index])
  )
    return [conversation]

  const texts = fits ? [judged.text] : cut(text, budget)
  const [first = '', ...rest] = texts
  const turns = [
    ...groups.map((group) => turnOf(judged, first, group)),
    ...rest.map((piece) => turnOf(judged, piece, [])),
  ]
  if (turns.length > MAX_PIECES) throw tooMany()
  return turns.map((turn) => [...history, turn])
}

/**
 * Decides by length alone that a short conversation in plain ASCII without images fits, so that its tokens need not
 * be counted.
 */
function surelyFits(conversation: Conversation, room: number): boolean {
  let left = room
  for (const { text, images } of conversation) {
    left -= text.length * PLAIN_TOKENS + TURN_TOKENS
    if (left < 0 || images !== undefined || !isPlain(text)) return false
  }
  return true
}

/**
 * The overlapping pieces of a text that is longer than `budget` tokens. It stops one piece past the bound, and the
 * caller refuses the text.
 */
function cut(text: string, budget: number): readonly string[] {
  const pieces: string[] = []
  let start = 0
  while (pieces.length <= MAX_PIECES) {
    const { end } = reach(text, start, budget)
    pieces.push(text.slice(start, end))
    if (end >= text.length) break
    start = reach(text, start, budget * (1 - OVERLAP)).end
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
