// Builds the conversations that are judged, from the options `turns`, `system` and `images`. Pure.
import type { ChatRequest } from '../dialects/dialect.js'
import { pictureWords } from '../dialects/kit/media.js'
import { LlamaGuardError, unsupportedContent } from '../types/errors.js'
import type { Conversation, NotJudged, Turn } from '../types.js'

export interface JudgedSettings {
  readonly turns: 'last' | 'all'
  readonly system: 'judge' | 'trust'
  readonly images: 'refuse' | 'ignore'
}

/** The most turns that `turns: 'all'` judges, remembered ones included. */
const MOST_CONVERSATIONS = 256
/**
 * Characters of context. A guard never reads more beside the judged turn: 8,192 tokens with at least a third of a
 * token per character.
 */
const CONTEXT_CHARS = 32_768
/** The cost of a turn beside its text, in characters. */
const TURN_CHARS = 32
/** A visible character, or half of a surrogate pair. */
const INK = /[^\s\u2800\p{Default_Ignorable_Code_Point}\p{Cc}]/u

/**
 * The conversations to ask the guard about. Each is judged on its last turn, and all must be safe. Empty
 * for a request without words.
 * @throws LlamaGuardError `unsupported_content` for images that no guard would see.
 */
export function conversationsToJudge(
  request: ChatRequest,
  settings: JudgedSettings,
  vision: boolean,
): readonly Conversation[] {
  const turns = withoutUnseenImages(request.turns, request.images ?? settings.images, vision)
  const judged = judgedTurns(turns, request.userTurns, settings.turns === 'all')
  if (judged.length > MOST_CONVERSATIONS) throw tooMany(judged.length)
  // The last conversation has every turn. The conversations before it leave out turns that no guard would read.
  const conversations: Conversation[] = judged.map((index, at) =>
    turns.slice(at === judged.length - 1 ? 0 : contextStart(turns, index), index + 1),
  )
  for (const text of request.extras) conversations.push([{ role: 'User', text }])
  // `trust` means a constant prompt beside a conversation. A request with system text only was written by the client,
  // so the text is judged.
  if (hasWords(request.system) && (settings.system === 'judge' || conversations.length === 0))
    conversations.push([{ role: 'User', text: request.system }])
  return conversations
}

/**
 * The request's turns as context for the reply. Images that no guard sees were refused before, or `images: 'ignore'`
 * leaves them out.
 */
export function replyContextTurns(request: ChatRequest, vision: boolean): Conversation {
  return withoutUnseenImages(request.turns, 'ignore', vision)
}

/** What is told of a request beside its judgements, when somebody listens. */
export function aboutInput(
  request: ChatRequest,
  vision: boolean,
): { readonly unseen: () => readonly NotJudged[]; readonly newest: () => string } {
  return { unseen: () => unseenParts(request, vision), newest: () => newestWords(request) }
}

/**
 * What the model of this request will see and no guard does: what the dialect names, and images for a text-only
 * guard.
 */
export function unseenParts(request: ChatRequest, vision: boolean): readonly NotJudged[] {
  const images = vision ? 0 : request.turns.reduce((sum, turn) => sum + (turn.images?.length ?? 0), 0)
  return [...(request.unseen ?? []), ...(images > 0 ? [{ what: 'image', count: images } as const] : [])]
}

/** The newest words of a human, else of the user's side. `""` when there are none. */
export function newestWords({ turns, userTurns }: ChatRequest): string {
  return turns[userTurns.at(-1) ?? -1]?.text ?? turns.findLast(({ role }) => role === 'User')?.text ?? ''
}

/** The reply as the next turn. A trailing Agent turn is a prefill, which the reply continues. */
export function withReply(turns: Conversation, text: string): Conversation {
  const last = turns.at(-1)
  return last?.role === 'Agent'
    ? [...turns.slice(0, -1), { ...last, text: last.text + text }]
    : [...turns, { role: 'Agent', text }]
}

/**
 * The turns to judge, in their order: the newest turn with visible text, which a turn of zero-width characters after
 * it must not hide; the newest with words of a human; the newest of the user's side after it (a tool result); and the
 * last with words, which may be an Agent turn that the client wrote, for example a prefill. With `all`, also every
 * User turn.
 */
function judgedTurns(turns: Conversation, userTurns: readonly number[], all: boolean): readonly number[] {
  const isUser = (turn: Turn): boolean => turn.role === 'User' && says(turn)
  const judged = new Set([
    turns.findLastIndex((turn) => pictures(turn) || INK.test(turn.text)),
    userTurns.findLast((index) => says(turns[index]!)) ?? -1,
    turns.findLastIndex(isUser),
    turns.findLastIndex(says),
  ])
  if (all) for (const [index, turn] of turns.entries()) if (isUser(turn)) judged.add(index)
  judged.delete(-1)
  return [...judged].sort((a, b) => a - b)
}

/** The first turn of the context: as much context as any guard reads. */
function contextStart(turns: Conversation, judged: number): number {
  let left = CONTEXT_CHARS
  let start = judged
  while (start > 0 && (left -= turns[start - 1]!.text.length + TURN_CHARS) >= 0) start--
  return start
}

function tooMany(turns: number): LlamaGuardError {
  return new LlamaGuardError(
    'too_many_checks',
    `The conversation has ${turns} turns to judge, and ${MOST_CONVERSATIONS} are allowed. Send fewer, or set ` +
      '`turns: "last"`.',
  )
}

// Format characters (zero-width, bidi, tags) count as words, because a model may read what a guard cannot see.
function hasWords(text: string): boolean {
  return text.trim() !== ''
}

function says(turn: Turn): boolean {
  return hasWords(turn.text) || pictures(turn)
}

function pictures({ images = [] }: Turn): boolean {
  return images.length > 0
}

function withoutUnseenImages(turns: Conversation, unseen: JudgedSettings['images'], vision: boolean): Conversation {
  if (vision || !turns.some(({ images }) => images !== undefined && images.length > 0)) return turns
  if (unseen === 'refuse')
    throw unsupportedContent(
      'The request carries an image, and the guard model reads text alone. Send text, use a vision ' +
        'model, or set `images: "ignore"` to judge the text alone.',
    )
  return turns.map(({ role, text, images = [] }) => {
    const words = images.map(pictureWords).filter((each) => each !== '')
    return { role, text: words.length === 0 ? text : [text, ...words].join('\n') }
  })
}
