// The model card says what the shipped weights do: its numbers are generated, and here they are generated again.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PARAMETERS } from '../../src/guard/backends/local/weights.js'
import { CARD, corpusFacts, weightFacts, withBlock } from './card.js'
import { readCorpus, trainingExamples } from './data.js'

const ROOT = join(import.meta.dirname, '../..')
const CORPORA = process.env['CORPORA'] ?? join(ROOT, '../shared/corpora')
const card = readFileSync(join(ROOT, CARD), 'utf8')
const blocks = [...card.matchAll(/<!-- (\w+) -->\n([^]*?)\n<!-- \/\1 -->/g)].map(([, name = '', text = '']) => ({
  name,
  text,
}))

function rewritten(facts: Readonly<Record<string, string>>): string {
  return Object.entries(facts).reduce((text, [name, block]) => withBlock(text, name, block), card)
}

describe('the model card', () => {
  it('names the version, size, threshold and bars of the weights in place.', () => {
    expect(rewritten(weightFacts(PARAMETERS))).toBe(card)
  })

  it.skipIf(!existsSync(join(CORPORA, 'dev.jsonl')))(
    'gives the numbers that the weights in place get on the corpora.',
    () => {
      const facts = corpusFacts(PARAMETERS, trainingExamples(CORPORA), readCorpus(CORPORA, 'dev.jsonl'))
      expect(rewritten(facts)).toBe(card)
    },
    120_000,
  )

  it('has every block filled.', () => {
    expect(blocks.map(({ name }) => name).sort()).toEqual([
      'dev',
      'families',
      'lengths',
      'misses',
      'sources',
      'weights',
    ])
    for (const { name, text } of blocks) expect(text.length, name).toBeGreaterThan(100)
  })

  it('states no share of a corpus outside the generated blocks, where nothing would keep it true.', () => {
    const prose = blocks.reduce((text, block) => text.replace(block.text, ''), card)
    const chosen = /2\.75 % for brief requests, 4 % for long windows/
    expect(prose).toMatch(chosen)
    const margin = /2 % of each harmless source of `dev.jsonl` are flagged/
    expect(prose).toMatch(margin)
    expect(prose.replace(chosen, '').replace(margin, '')).not.toMatch(/\d\s?%/)
  })

  it('refuses to write a number that the card has no place for.', () => {
    expect(() => withBlock(card, 'elsewhere', '1 %')).toThrow(/has no block <!-- elsewhere -->/)
  })
})
