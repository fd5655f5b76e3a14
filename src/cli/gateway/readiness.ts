// Whether the guard answers, for `/readyz`.
import type { LlamaGuard } from '../../llama-guard.js'

/**
 * Milliseconds for which a readiness answer holds. Probes come every few seconds from several places, and each would
 * cost a guard call.
 */
const READY_MS = 10_000

/** Returns the code of the guard's failure, or undefined while it answers. It runs one check at a time. */
export function readiness(guard: Pick<LlamaGuard, 'judge'>): () => Promise<string | undefined> {
  let last: { readonly at: number; readonly answer: Promise<string | undefined> } | undefined
  return () => {
    if (last === undefined || performance.now() - last.at > READY_MS)
      last = { at: performance.now(), answer: check(guard) }
    return last.answer
  }
}

async function check(guard: Pick<LlamaGuard, 'judge'>): Promise<string | undefined> {
  // A new text each time, because the cache would answer for a guard that is down.
  const text = `Is the guard there at ${Date.now()}?`
  const judgement = await guard.judge([{ role: 'User', text }], { stage: 'input' })
  return 'error' in judgement ? judgement.error.code : undefined
}
