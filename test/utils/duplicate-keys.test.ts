// Keys named twice, however they are spelled.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { duplicateKeys, REPEATED, withEveryKey } from '../../src/utils/duplicate-keys.js'

it.each([
  ['{"a":1,"a":2}', ['a']],
  ['{"a":{"b":1,"b":2}}', ['b']],
  ['[{"a":1},{"a":2}]', []],
  ['{"a":"a","b":["a","a"]}', []],
  ['{"a":1,"\\u0061":2}', ['a']],
  ['{"a\\"":1,"a\\"":2}', ['a"']],
  ['{"a":[{"c":1}],"b":{},"a":0}', ['a']],
  ['{"a":"\\\\","a":1}', ['a']],
  ['{ "a" : 1 , "a" : 2 }', ['a']],
])('In %s exactly the keys that one object names twice are found', (text, keys) => {
  expect([...duplicateKeys(text)]).toEqual(keys)
})

it('What JSON.stringify writes never names a key twice.', () => {
  fc.assert(fc.property(fc.json(), (text) => duplicateKeys(JSON.stringify(JSON.parse(text))).size === 0))
})

it.each([
  ['{"a":1,"a":2}', ['a', 1, 'a', 2]],
  ['{"a":{"b":[1],"b":[2]},"a":3,"a":4}', ['a', { b: [1], [`b${REPEATED}0`]: [2] }, 'a', 3, 'a', 4]],
  ['{"a\\"":1,"\\u0061\\"":2}', ['a"', 1, 'a"', 2]],
])('Every key of %s keeps its value.', (text, entries) => {
  const found = Object.entries(withEveryKey(text) as object)
  expect(found.flatMap(([key, value]) => [key.split(REPEATED)[0], value as unknown])).toEqual(entries)
})

it('Keys named twice are found among many.', () => {
  const text = `{${Array.from({ length: 20_000 }, (_, index) => `"${index}":1`).join()},"7":2}`
  expect([...duplicateKeys(text, JSON.parse(text))]).toEqual(['7'])
})
