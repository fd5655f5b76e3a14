// Without a vocabulary a character costs by its code: the first and the last of each range, and halves of pairs.
import { expect, it } from 'vitest'
import { anyTokens } from '../../../src/guard/prompt/tokens/counter.js'

it.each([
  { code: 0x80, tokens: 2 },
  { code: 0x7ff, tokens: 2 },
  { code: 0x800, tokens: 3 },
  { code: 0xd7ff, tokens: 3 },
  { code: 0xd800, tokens: 2 },
  { code: 0xdbff, tokens: 2 },
  { code: 0xdc00, tokens: 2 },
  { code: 0xdfff, tokens: 2 },
  { code: 0xe000, tokens: 3 },
  { code: 0xffff, tokens: 3 },
  { code: 0x10000, tokens: 4 },
  { code: 0x10ffff, tokens: 4 },
])('The character $code costs $tokens tokens.', ({ code, tokens }) => {
  expect(anyTokens.reach(String.fromCodePoint(code), 0, Infinity).tokens).toBe(tokens)
})
