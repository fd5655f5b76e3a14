// Families of words: what is counted, and what stands near what.
import { describe, expect, it } from 'vitest'
import { CONCEPTS, concepts as conceptsOf } from '../../../../src/guard/backends/local/features.js'
import { Words } from '../../../../src/guard/backends/local/words.js'

const concepts = (text: string) => {
  const words = new Words(text)
  return conceptsOf(words, 0, words.hashes.length)
}

describe('concepts', () => {
  it('finds nothing in words of no family', () => {
    expect(concepts('granite umbrella')).toEqual([])
  })

  it('counts different words of a family, not repetitions', () => {
    expect(concepts('heroin heroin heroin').length).toBeLessThan(concepts('heroin cocaine meth').length)
  })

  it('tells which family stands before which', () => {
    expect(concepts('murder neighbour')).not.toEqual(concepts('neighbour murder'))
    expect(concepts('murder granite granite granite granite granite neighbour').length).toBeLessThan(
      concepts('murder neighbour').length,
    )
  })

  it('numbers its features from 0 to below CONCEPTS', () => {
    const found = concepts(
      'kill the process and the people who hate gay muslims with a bomb in the game movie not help',
    )
    expect(found.every((feature) => Number.isInteger(feature) && feature >= 0 && feature < CONCEPTS)).toBe(true)
  })
})
