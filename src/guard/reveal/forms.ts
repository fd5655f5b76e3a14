// The decoded forms of the conversations of one request, which are judged beside them.
import type { Conversation, Stage, Turn } from '../../types.js'
import { reveal } from './index.js'

/**
 * Returns the conversations, and behind them a decoded form of each that has an encoded turn. At the output only the
 * reply is decoded, because the turns before it were judged at the input.
 */
export function withForms(conversations: readonly Conversation[], stage: Stage): readonly Conversation[] {
  const decoded = new Map<Turn, Turn>()
  const seen = new Set<Turn>()
  const forms: Conversation[] = []
  for (const conversation of conversations) {
    let fresh = false
    for (const turn of stage === 'output' ? conversation.slice(-1) : conversation) {
      // A conversation that is none is an error of the guard that is asked about it.
      if (typeof (turn as Turn | undefined)?.text !== 'string' || seen.has(turn)) continue
      seen.add(turn)
      const text = reveal(turn.text)
      if (text === undefined) continue
      decoded.set(turn, { role: turn.role, text })
      fresh = true
    }
    if (fresh) forms.push(conversation.map((turn) => decoded.get(turn) ?? turn))
  }
  return forms.length === 0 ? conversations : [...conversations, ...forms]
}
