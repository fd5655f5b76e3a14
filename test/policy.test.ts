import { describe, expect, it } from 'vitest'
import { LlamaGuardError } from '../src/types/errors.js'
import { decide, type PolicySettings } from '../src/policy.js'
import type { Judgement, Verdict } from '../src/types.js'

const CATEGORIES = [
  { id: 'O1', name: 'Violence and Hate' },
  { id: 'O3', name: 'Criminal Planning' },
  { id: 'O6', name: 'Self-Harm' },
]
const enforce: PolicySettings = { mode: 'enforce', onError: 'closed' }
const judged = (verdict: Partial<Verdict>): Judgement => ({
  verdict: { safe: true, categories: [], ...verdict },
  ms: 5,
  model: 'm',
})
const unsafe = (...categories: string[]): Judgement => judged({ safe: false, categories })
const failed = (code: 'guard_timeout' | 'unreadable_request' = 'guard_timeout'): Judgement => ({
  error: new LlamaGuardError(code),
  ms: 9,
  model: 'm',
})
const look = (judgements: Judgement[], settings: Partial<PolicySettings> = {}) => {
  const { action, outcome, categories } = decide('input', judgements, { ...enforce, ...settings }, CATEGORIES)
  return [action, outcome.state, categories.map(({ code }) => code).join()]
}

describe('decide', () => {
  it.each<[string, Judgement[], Partial<PolicySettings>, string[]]>([
    ['lets safe pass', [judged({}), judged({})], {}, ['allow', 'safe', '']],
    ['says skipped when nothing was to be judged', [], {}, ['allow', 'skipped', '']],
    ['blocks unsafe', [judged({}), unsafe('O3')], {}, ['block', 'unsafe', 'O3']],
    ['blocks unsafe without a category', [unsafe()], {}, ['block', 'unsafe', '']],
    [
      'blocks a category that the policy does not know',
      [judged({ safe: false, unknown: ['S99'] })],
      {},
      ['block', 'unsafe', 'S99'],
    ],
    ['prefers a block to a failure', [failed(), unsafe('O1')], {}, ['block', 'unsafe', 'O1']],
    [
      'is unavailable when one of many could not be judged',
      [judged({}), failed()],
      {},
      ['unavailable', 'unjudged', ''],
    ],
    [
      'lets a failure pass when told to fail open',
      [judged({}), failed()],
      { onError: 'open' },
      ['allow', 'unjudged', ''],
    ],
    ['still blocks when told to fail open', [failed(), unsafe('O1')], { onError: 'open' }, ['block', 'unsafe', 'O1']],
    [
      'does not open for a fault of the client',
      [failed('unreadable_request')],
      { onError: 'open' },
      ['unavailable', 'unjudged', ''],
    ],
    ['blocks nothing in shadow mode, but says unsafe', [unsafe('O3')], { mode: 'shadow' }, ['allow', 'unsafe', 'O3']],
    ['refuses nothing in shadow mode', [failed('unreadable_request')], { mode: 'shadow' }, ['allow', 'unjudged', '']],
    [
      'shows a flagged category and lets it pass',
      [unsafe('O1')],
      { actions: { O1: 'flag' } },
      ['allow', 'unsafe', 'O1'],
    ],
    ['takes an ignored category as safe', [unsafe('O1')], { actions: { O1: 'ignore' } }, ['allow', 'safe', '']],
    [
      'blocks when one of several categories blocks',
      [unsafe('O1', 'O3')],
      { actions: { O1: 'ignore' } },
      ['block', 'unsafe', 'O3'],
    ],
    [
      'blocks for the worst of several judgements, whatever stands last',
      [unsafe('O3'), unsafe('O1')],
      { actions: { O1: 'flag' } },
      ['block', 'unsafe', 'O3,O1'],
    ],
    [
      'is not lenient with a list that may be cut',
      [judged({ safe: false, categories: ['O1'], truncated: true })],
      { actions: { O1: 'ignore' } },
      ['block', 'unsafe', 'O1'],
    ],
    [
      'is not lenient with unsafe without a category',
      [unsafe()],
      { actions: { O1: 'ignore', O3: 'ignore', O6: 'ignore' } },
      ['block', 'unsafe', ''],
    ],
    [
      'blocks from the threshold on, whatever the word',
      [judged({ score: 0.3 })],
      { threshold: 0.3 },
      ['block', 'unsafe', ''],
    ],
    [
      'lets pass below the threshold, whatever the word',
      [judged({ safe: false, categories: ['O1'], score: 0.6 })],
      { threshold: 0.9 },
      ['allow', 'safe', ''],
    ],
    [
      'follows the action of a category from the threshold on',
      [judged({ safe: false, categories: ['O1'], score: 0.9 })],
      { threshold: 0.5, actions: { O1: 'flag' } },
      ['allow', 'unsafe', 'O1'],
    ],
    [
      'blocks a safe word from the threshold on, whatever categories stand beside it',
      [judged({ categories: ['O1'], score: 0.9 })],
      { threshold: 0.5, actions: { O1: 'ignore' } },
      ['block', 'unsafe', ''],
    ],
    ['cannot judge by a threshold without a score', [judged({})], { threshold: 0.5 }, ['unavailable', 'unjudged', '']],
    [
      'uses the threshold of a category',
      [judged({ safe: false, categories: ['O1'], categoryScores: { O1: 0.4 } })],
      { categoryThresholds: { O1: 0.5 } },
      ['allow', 'safe', ''],
    ],
    [
      'uses the whole score where a category has none',
      [judged({ safe: false, categories: ['O1'], score: 0.8 })],
      { categoryThresholds: { O1: 0.5 } },
      ['block', 'unsafe', 'O1'],
    ],
    [
      'blocks unsafe without a score, whatever the threshold is',
      [unsafe('O1')],
      { threshold: 1, onError: 'open' },
      ['block', 'unsafe', 'O1'],
    ],
    [
      'blocks unsafe without a score, whatever the threshold of its category is',
      [unsafe('O1')],
      { categoryThresholds: { O1: 0.9 }, onError: 'open' },
      ['block', 'unsafe', 'O1'],
    ],
    [
      'takes a score that equals the threshold of a category as unsafe',
      [judged({ safe: false, categories: ['O1'], categoryScores: { O1: 0.5 } })],
      { categoryThresholds: { O1: 0.5 } },
      ['block', 'unsafe', 'O1'],
    ],
  ])('%s', (_title, judgements, settings, expected) => {
    expect(look(judgements, settings)).toEqual(expected)
  })

  it('keeps the error of a judgement that failed, and none beside a block', () => {
    expect(decide('input', [judged({}), failed()], enforce, []).error).toMatchObject({ code: 'guard_timeout' })
    expect(decide('input', [failed(), unsafe('O1')], enforce, [])).not.toHaveProperty('error')
  })

  it('names categories, and keeps the slowest time, the highest score and who judged', () => {
    const decision = decide(
      'output',
      [judged({ score: 0.1, judgedBy: 'b' }), { ...judged({ safe: false, categories: ['O3'], score: 0.9 }), ms: 40 }],
      enforce,
      CATEGORIES,
    )
    expect(decision).toMatchObject({
      stage: 'output',
      categories: [{ code: 'O3', name: 'Criminal Planning' }],
      ms: 40,
      outcome: { score: 0.9, by: 'b' },
    })
  })

  it('keeps the highest score and blocks for the worst category, whatever stands last', () => {
    const [low, high] = [judged({ score: 0.2 }), judged({ score: 0.9 })]
    for (const judgements of [
      [low, high],
      [high, low],
    ])
      expect(decide('input', judgements, enforce, []).outcome.score).toBe(0.9)
    const actions = { O1: 'block', O3: 'flag', O6: 'ignore' } as const
    for (const ids of [
      ['O1', 'O3', 'O6'],
      ['O3', 'O1', 'O6'],
      ['O6', 'O3', 'O1'],
      ['O3', 'O6', 'O1'],
      ['O1', 'O6', 'O3'],
    ])
      expect(look([unsafe(...ids)], { actions })[0]).toBe('block')
  })

  it('names the guard that named a category, where a verdict says so', () => {
    const named = judged({ safe: false, categories: ['O3', 'O6'], namedBy: { O3: 'small' } })
    expect(decide('input', [judged({}), failed(), named], enforce, CATEGORIES).categories).toEqual([
      { code: 'O3', name: 'Criminal Planning', guard: 'small' },
      { code: 'O6', name: 'Self-Harm' },
    ])
  })

  it('says cached only when every judgement was', () => {
    const cached = judged({ cached: true })
    expect(decide('input', [cached, cached], enforce, []).outcome.cached).toBe(true)
    expect(decide('input', [cached, judged({})], enforce, []).outcome.cached).toBeUndefined()
  })
})
