// How long a served model takes: the tokens of a prompt that are in no cache are read one prompt after another, for the
// GPU is one, and the tokens of answers are made at the same time.
import { createHash } from 'node:crypto'
import { tokens } from '../../src/testing/tgi.js'

export interface Timing {
  /** Milliseconds to read one token of a prompt. */
  readonly msPerPromptToken: number
  /** Milliseconds to make one token of an answer. Default: 0. */
  readonly msPerToken?: number
  /** Milliseconds of every request beside the model. Default: 0. */
  readonly baseMs?: number
  /** Keeps what was read, in blocks of 16 tokens, as vLLM does. Default: false. */
  readonly prefixCache?: boolean
}

/** Tokens of `safe` with what surrounds it. */
const ANSWER_TOKENS = 3
const BLOCK_CHARACTERS = 16 * 4

/** Resolves when the model would have answered. */
export function createClock(timing: Timing): (prompt: string, maxTokens: number) => Promise<void> {
  const seen = new Set<string>()
  let reading: Promise<void> = Promise.resolve()

  function unread(prompt: string): number {
    if (timing.prefixCache !== true) return tokens(prompt)
    let key = ''
    let known = true
    let cached = 0
    for (let at = 0; at + BLOCK_CHARACTERS <= prompt.length; at += BLOCK_CHARACTERS) {
      key = createHash('sha1')
        .update(key)
        .update(prompt.slice(at, at + BLOCK_CHARACTERS))
        .digest('base64')
      known &&= seen.has(key)
      if (known) cached += BLOCK_CHARACTERS
      seen.add(key)
    }
    return tokens(prompt.slice(cached))
  }

  return async (prompt, maxTokens) => {
    await sleep(timing.baseMs ?? 0)
    const read = reading.then(() => sleep(unread(prompt) * timing.msPerPromptToken))
    reading = read
    await read
    await sleep(Math.min(maxTokens, ANSWER_TOKENS) * (timing.msPerToken ?? 0))
  }
}

function sleep(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((wake) => setTimeout(wake, ms))
}
