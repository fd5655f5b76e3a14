// A guard of a classifier or a managed service, which sees one turn at a time and no conversation. A long turn is
// judged in overlapping windows, and its images in groups.
import type { Category, Conversation, CreatedGuard, Guard, Turn, Verdict } from '../../types.js'
import { type AbortSignalLike, AskOptions } from '../../utils/deadline.js'
import { anyUnsafeOf } from '../pieces.js'
import { escapeText } from '../prompt/escape.js'
import { fitConversation, GENERATED_TOKENS, judgedTurn } from '../prompt/fit.js'
import { anyTokens } from '../prompt/tokens/counter.js'
import { withCheck } from '../ready.js'

export interface TurnGuardOptions extends Pick<Guard, 'model' | 'judges' | 'scored'> {
  readonly identity: string
  readonly categories: readonly Category[]
  /** The most tokens of a window, and those that the server adds to each. */
  readonly windowTokens: number
  readonly addedTokens?: number
  /** The most images of one request. Default: the guard sees none. */
  readonly images?: number
  /** Judges one window. Letters of its text that were hidden or in disguise are plain. */
  ask(turn: Turn, signal: AbortSignalLike | undefined): Promise<Verdict>
  close?: (() => void | Promise<void>) | undefined
  /** Rejects when no call can succeed, and costs none. */
  check?: (() => Promise<void>) | undefined
}

export function turnGuard(o: TurnGuardOptions): Guard {
  const { model, identity, categories, judges, scored = false, windowTokens, addedTokens = 0, images, close } = o
  const windows = (conversation: Conversation): readonly Conversation[] =>
    fitConversation([judgedTurn(conversation)], windowTokens + GENERATED_TOKENS, {
      policyTokens: addedTokens,
      counter: anyTokens,
      images: images === undefined ? undefined : { placement: 'inline', perPrompt: images, tokens: 0 },
    })
  const guard: CreatedGuard = {
    ...(model !== undefined && { model }),
    identity,
    categories,
    ...(judges && { judges }),
    scored,
    vision: images !== undefined,
    fit: windows,
    async judge(conversation, options = {}) {
      const asks = windows(conversation).map((window) => (signal: AbortSignalLike) => {
        const turn = window.at(-1)!
        return o.ask({ ...turn, text: escapeText(turn.text) }, signal)
      })
      // All windows are asked, because a flagged window must not hide one that blocks.
      return anyUnsafeOf(asks, { signal: AskOptions.signalOf(options), blocks: () => false })
    },
    ...(close && { close }),
  }
  return withCheck(guard, o.check)
}
