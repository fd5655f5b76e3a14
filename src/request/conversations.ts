// Which parts of a request are judged, and within what context: the options `turns`, `system` and `images` in
// one place. Pure.
import type { ChatRequest } from '../dialects/dialect.js'
import { LlamaGuardError } from '../errors.js'
import type { Conversation, Turn } from '../types.js'

export interface JudgedSettings {
  readonly turns: 'last' | 'all'
  readonly system: 'judge' | 'trust'
  readonly images: 'refuse' | 'ignore'
}

/**
 * The conversations to ask the guard about, each judged on its last turn; all must be safe. Never empty.
 * Throws `unsupported_content` for images that nobody would look at.
 */
export function conversationsToJudge(
  request: ChatRequest,
  settings: JudgedSettings,
  vision: boolean,
): readonly Conversation[] {
  const turns = withoutUnseenImages(request.turns, settings.images, vision)
  const judged = settings.turns === 'all' ? everyTurn(turns) : newestTurns(turns, request.userTurns)
  const conversations: Conversation[] = [...judged].sort((a, b) => a - b).map((index) => turns.slice(0, index + 1))
  for (const text of request.extras) conversations.push([{ role: 'User', text }])
  // "Trust" is about a constant prompt beside a conversation. A request that is nothing but system text is
  // the client's word.
  if (hasWords(request.system) && (settings.system === 'judge' || conversations.length === 0))
    conversations.push([{ role: 'User', text: request.system }])
  if (conversations.length === 0)
    throw new LlamaGuardError(
      'unreadable_request',
      'The request holds nothing to judge: every message is empty. Send at least one message with content.',
    )
  return conversations
}

/**
 * The request's turns as context for the reply. Images that nobody would look at have been refused by now, or
 * are to be ignored.
 */
export function replyContextTurns(request: ChatRequest, vision: boolean): Conversation {
  return withoutUnseenImages(request.turns, 'ignore', vision)
}

/** The reply as the next turn. A trailing Agent turn is a prefill, which the reply continues. */
export function withReply(turns: Conversation, text: string): Conversation {
  const last = turns.at(-1)
  return last?.role === 'Agent'
    ? [...turns.slice(0, -1), { ...last, text: last.text + text }]
    : [...turns, { role: 'Agent', text }]
}

function everyTurn(turns: Conversation): Set<number> {
  return new Set(
    turns.flatMap((turn, index) => ((turn.role === 'User' || index === turns.length - 1) && says(turn) ? [index] : [])),
  )
}

/**
 * The newest turn with words of a human, the newest tool result after it, and a trailing Agent turn (a
 * prefill the client made up).
 */
function newestTurns(turns: Conversation, userTurns: readonly number[]): Set<number> {
  const newest = new Set<number>()
  const human = userTurns.findLast((index) => says(turns[index]!))
  const user = turns.findLastIndex((turn) => turn.role === 'User' && says(turn))
  const last = turns.at(-1)
  if (human !== undefined) newest.add(human)
  if (user >= 0) newest.add(user)
  if (last !== undefined && last.role === 'Agent' && says(last)) newest.add(turns.length - 1)
  return newest
}

// Format characters (zero-width, bidi, tags) count as words: what a guard cannot see may still be read by a model.
function hasWords(text: string): boolean {
  return text.trim() !== ''
}

function says(turn: Turn): boolean {
  return hasWords(turn.text) || (turn.images?.length ?? 0) > 0
}

function withoutUnseenImages(turns: Conversation, unseen: JudgedSettings['images'], vision: boolean): Conversation {
  if (vision || !turns.some(({ images }) => images !== undefined && images.length > 0)) return turns
  if (unseen === 'refuse') {
    throw new LlamaGuardError(
      'unsupported_content',
      'The request carries an image, and the guard model reads text alone. Send text, use a vision ' +
        'model, or set `images: "ignore"` to judge the text alone.',
    )
  }
  return turns.map(({ role, text }) => ({ role, text }))
}
