// A policy with a typing error must be refused with a message that says where, what and what instead.
import { describe, expect, it } from 'vitest'
import { readCategories } from '../../src/options/categories.js'
import { actionOf, nameOf } from '../../src/policy.js'
import type { Category } from '../../src/types.js'

const GOOD = { id: 'O1', name: 'Violence' }

describe('reading categories', () => {
  it('takes a list with every key', () => {
    const list = [
      { ...GOOD, description: 'Text.', shouldNot: ['a'], can: ['b'], should: [], action: 'flag' },
      { id: 'ab12', name: 'Other' },
    ]
    expect(readCategories(list, 'categories')).toEqual(list)
  })

  it('takes the text of a policy as it is', () => {
    expect(readCategories('O1: A. \n- x\n', 'categories')).toBe('O1: A. \n- x\n')
  })

  it('does not follow later changes to what was passed', () => {
    const entry: { id: string; name: string; action?: string } = { ...GOOD }
    const read = readCategories([entry], 'categories') as readonly Category[]
    entry.action = 'ignore'
    expect(actionOf('O1', read)).toBe('block')
  })

  it.each([
    ['nothing', undefined, 'policy ', 'undefined'],
    ['an object', { O1: 'Violence' }, 'policy ', 'a list of categories'],
    ['an empty list', [], 'policy ', 'got an empty list'],
    ['a string that is not empty', ' \n', 'policy ', 'a string that is not empty'],
    ['an entry that is a string', ['O1'], 'policy[0] ', 'an object with `id` and `name`'],
    ['null as an entry', [GOOD, null], 'policy[1] ', 'null'],
    ['a missing id', [{ name: 'x' }], 'policy[0].id ', 'undefined'],
    ['a bad id', [{ id: '1O', name: 'x' }], 'policy[0].id ', '"1O"'],
    ['an id with a comma', [{ id: 'O1,O2', name: 'x' }], 'policy[0].id ', 'one or two letters and a number'],
    ['a missing name', [{ id: 'O1' }], 'policy[0].name ', 'undefined'],
    ['a name on two lines', [{ id: 'O1', name: 'a\nb' }], 'policy[0].name ', 'one line'],
    ['an empty description', [{ ...GOOD, description: '' }], 'policy[0].description ', 'not empty'],
    ['a bad action', [{ ...GOOD, action: 'blok' }], 'policy[0].action ', 'block, flag, ignore'],
    ['rules that are a text', [{ ...GOOD, can: 'x' }], 'policy[0].can ', 'a list of sentences'],
    ['a rule that is a number', [{ ...GOOD, should: ['x', 3] }], 'policy[0].should[1] ', 'a string that is not empty'],
    ['an id twice', [GOOD, { id: 'o1', name: 'Other' }], 'policy[1].id ', 'policy[0] has it already'],
    ['an unknown key', [{ ...GOOD, shouldnt: [] }], 'policy[0] ', 'Did you mean "shouldNot"?'],
  ])('refuses %s', (_, value, place, wanted) => {
    const code = wanted.startsWith('Did you mean "shouldNot"') ? 'unknown_option' : 'invalid_option'
    expect(() => readCategories(value, 'policy')).toThrow(expect.objectContaining({ code }))
    expect(() => readCategories(value, 'policy')).toThrow(place)
    expect(() => readCategories(value, 'policy')).toThrow(wanted)
  })
})

describe('asking the policy about an id', () => {
  const categories: Category[] = [
    GOOD,
    { id: 'O2', name: 'Adult', action: 'flag' },
    { id: 'O3', name: 'Crime', action: 'ignore' },
  ]

  it('blocks unless the policy says otherwise, and blocks what it does not know', () => {
    expect(['O1', 'O2', 'o2', 'O3', 'O9', '__proto__'].map((id) => actionOf(id, categories))).toEqual(
      'block flag flag ignore block block'.split(' '),
    )
  })

  it('names what it knows and repeats the id of what it does not', () => {
    expect(['O2', 'O9'].map((id) => nameOf(id, categories))).toEqual(['Adult', 'O9'])
  })
})
