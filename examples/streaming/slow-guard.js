// The baseline screen (not Llama Guard) made as slow as a real model, so that the eye can follow its checks,
// and a diary of them.
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGuard } from 'express-llama-guard'

/** The run a check belongs to: `{ guardMs, note(entry) }`. A guard is told conversations, not requests. */
export const runs = new AsyncLocalStorage()

export function slowGuard() {
  const inner = createGuard({ guard: 'local' })
  return {
    model: `${inner.model}, slowed down`,
    categories: inner.categories,
    async judge(conversation, options) {
      const { guardMs, note } = runs.getStore()
      const check = { stage: options.stage, chars: conversation.at(-1).text.length }
      const number = note({ lane: 'check', ...check })
      await sleep(guardMs, undefined, { signal: options.signal })
      const verdict = await inner.judge(conversation, options)
      note({ lane: 'verdict', number, safe: verdict.safe, categories: verdict.categories })
      return verdict
    },
  }
}
