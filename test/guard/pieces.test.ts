// The pieces in which a guard is asked about one conversation, up to the most there may be.
import { expect, it } from 'vitest'
import { piecesOf } from '../../src/guard/pieces.js'
import { MOST_PIECES } from '../../src/guard/prompt/fit.js'
import type { Conversation } from '../../src/types.js'

it('An older turn that no piece shows is one more piece, up to the most there may be.', () => {
  const conversation: Conversation = [
    { role: 'User', text: 'first' },
    { role: 'User', text: 'last' },
  ]
  const cutInto = (count: number) => ({
    fit: (given: Conversation) => (given.length > 1 ? Array.from({ length: count }, () => given.slice(-1)) : [given]),
  })
  const pieces = piecesOf(cutInto(MOST_PIECES - 1), conversation)
  expect(pieces).toHaveLength(MOST_PIECES)
  expect(pieces.at(-1)).toEqual([{ role: 'User', text: 'first' }])
  expect(() => piecesOf(cutInto(MOST_PIECES), conversation)).toThrow(
    expect.objectContaining({ code: 'too_many_checks' }),
  )
})
