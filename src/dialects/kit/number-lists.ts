// Refuses lists of numbers in a request that may be text: token ids of a tokenizer that the guard lacks, or ASCII
// codes.
import { LlamaGuardError } from '../../errors.js'
import { TOKEN_KEYS } from './special-keys.js'

/** From this many numbers on, nested lists counted together, a list may be token ids or character codes. */
const TOKENS = 8
const ASCII_CODES = 5

/** @throws LlamaGuardError `unreadable_request` for a list in the field `key` that may be text. */
export function refuseTokens(list: readonly unknown[], key: string): void {
  const numbers: number[] = []
  gatherNumbers(list, numbers)
  const isCode = (code: number): boolean => Number.isInteger(code) && code >= 9 && code < 127
  if (
    numbers.length >= TOKENS ||
    (numbers.length > 0 && TOKEN_KEYS.has(key)) ||
    (numbers.length >= ASCII_CODES && numbers.every(isCode))
  )
    throw tokens()
}

function gatherNumbers(list: readonly unknown[], into: number[]): void {
  for (const item of list) {
    if (into.length >= TOKENS) return
    if (typeof item === 'number') into.push(item)
    else if (Array.isArray(item)) gatherNumbers(item, into)
  }
}

export function tokens(): LlamaGuardError {
  return new LlamaGuardError(
    'unreadable_request',
    'The body holds text as a list of numbers, which the guard cannot read; send text.',
  )
}
