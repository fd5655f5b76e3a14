// A panel of guards that differ: what they judge, what they see, and who named what.
import { describe, expect, it } from 'vitest'
import { anyUnsafe } from '../../src/guard/panel.js'
import { checkedVerdict } from '../../src/guard/answer/verdict.js'
import type { Guard } from '../../src/types.js'
import { guardThat, SAFE, says } from './fake-guards.js'

const named = (model: string, answer: unknown, rest: Partial<Guard> = {}) =>
  guardThat(() => answer, { model, identity: model, ...rest })

describe('A panel', () => {
  it('asks each guard about the roles it judges, and cannot judge what none of them does.', async () => {
    const users = named('users', SAFE, { judges: ['User'] })
    const both = named('both', SAFE)
    await anyUnsafe([users, both]).judge([...says('hi'), { role: 'Agent', text: 'hello' }], {})
    expect([users.calls.length, both.calls.length]).toEqual([0, 1])
    const alone = anyUnsafe([users])
    expect(alone.judges).toEqual(['User'])
    expect(anyUnsafe([users, both]).judges).toBeUndefined()
    await expect(alone.judge([{ role: 'Agent', text: 'hello' }], {})).rejects.toMatchObject({ code: 'guard_rejected' })
  })

  it('says which guard named a category, the unknown ones too, and the first of two.', async () => {
    const one = named('one', { safe: false, categories: ['A1', 'B1'] })
    const two = named('two', { safe: false, categories: ['B1'], unknown: ['X9'] })
    const blocks = (): boolean => false
    const verdict = await anyUnsafe([one, two]).judge(says('hi'), { blocks } as never)
    expect(verdict).toMatchObject({ judgedBy: 'one', namedBy: { A1: 'one', B1: 'one', X9: 'two' } })
    // A panel within a panel keeps the names of the inner one.
    const outer = await anyUnsafe([anyUnsafe([two, one]), named('three', SAFE)]).judge(says('hi'), { blocks } as never)
    expect(outer.namedBy).toEqual({ A1: 'one', B1: 'two', X9: 'two' })
  })

  it('takes the strictest action for an id that two guards share, in whatever order they come.', () => {
    const flags = named('flags', SAFE, { categories: [{ id: 'S1', name: 'Mild', action: 'flag' }] })
    const blocks = named('blocks', SAFE, { categories: [{ id: 'S1', name: 'Strict' }] })
    for (const guards of [
      [flags, blocks],
      [blocks, flags],
    ])
      expect(anyUnsafe(guards).categories).toEqual([{ id: 'S1', name: 'Strict' }])
  })

  it('sees images when one that judges both sides does, and has scores when all have.', () => {
    const sees = named('sees', SAFE, { vision: true, scored: true })
    expect(anyUnsafe([sees, named('text', SAFE)])).toMatchObject({ vision: true, scored: false })
    expect(anyUnsafe([named('text', SAFE, { scored: true })])).toMatchObject({ vision: false, scored: true })
    expect(anyUnsafe([named('half', SAFE, { vision: true, judges: ['User'] }), named('text', SAFE)]).vision).toBe(false)
  })
})

it.each([7, 'one', ['one'], null, { A1: 7 }, { A1: '' }, { A1: 'x'.repeat(300) }])(
  'A verdict is no verdict when the guards that named its categories are %j.',
  (namedBy) => {
    expect(() => checkedVerdict({ safe: false, categories: ['A1'], namedBy })).toThrow(
      expect.objectContaining({ code: 'unparseable_verdict' }) as Error,
    )
  },
)
