// Training is a function of its examples: the same ones give the same bytes, and the result is a model that works.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createScreen } from '../../src/guard/local/screen.js'
import { build, weightsModule } from './build.js'
import { readCorpus } from './data.js'
import { type Example, seeds } from './seeds.js'

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

  it('says where it looked when the corpora are missing', () => {
    const empty = mkdtempSync(join(tmpdir(), 'corpora-'))
    expect(() => readCorpus(empty, 'train.jsonl')).toThrow(/--corpora PATH/)
  })
})
