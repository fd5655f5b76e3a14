// The written examples: enough of each category, harmless ones beside them, and no slot left open.
import { describe, expect, it } from 'vitest'
import { prose } from './prose.js'

describe('the training prose', () => {
  const examples = prose()

  it('is the same each time', () => {
    expect(prose()).toEqual(examples)
  })

  it('has every slot filled', () => {
    expect(examples.filter(({ text }) => /[{}]/.test(text))).toEqual([])
  })

  it('has examples of every category, and about as many harmless ones', () => {
    const count = (category: string): number =>
      examples.filter(({ categories }) => categories?.includes(category)).length
    for (const category of ['O1', 'O2', 'O3', 'O4', 'O5', 'O6']) expect(count(category)).toBeGreaterThan(20)
    const safe = examples.filter(({ unsafe }) => !unsafe).length
    expect(safe).toBeGreaterThan(0.4 * examples.length)
    expect(safe).toBeLessThan(0.6 * examples.length)
  })

  it('says of no text both that it is safe and that it is not', () => {
    const safe = new Set(examples.filter(({ unsafe }) => !unsafe).map(({ text }) => text))
    expect(examples.filter(({ text, unsafe }) => unsafe && safe.has(text))).toEqual([])
  })
})
