// The letter pairs of English, which tell words from random characters.
import { describe, expect, it } from 'vitest'
import { liked } from '../../../src/dialects/kit/letter-pairs.js'

describe('a pair of letters', () => {
  it.each('th TH er in on ab st ng bo yo xt'.split(' '))('%s is frequent', (pair) => {
    expect(liked(pair, 0, 1)).toBe(1)
  })

  it.each('qx zk vq jj xw TX'.split(' '))('%s is not', (pair) => {
    expect(liked(pair, 0, 1)).toBe(0)
  })

  it.each('0n 1n 3n 4n 5h 7h 8e 9e n0 n1 n3 n4 n5 n7 o8 n9'.split(' '))('%s is frequent in leetspeak', (pair) => {
    expect(liked(pair, 0, 1)).toBe(1)
  })
})
