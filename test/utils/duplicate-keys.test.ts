// Keys named twice, however they are spelled.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { duplicateKeys } from '../../src/utils/duplicate-keys.js'

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
])('In %s', (text, keys) => {
  expect([...duplicateKeys(text)]).toEqual(keys)
})

it('What JSON.stringify writes never names a key twice.', () => {
  fc.assert(fc.property(fc.json(), (text) => duplicateKeys(JSON.stringify(JSON.parse(text))).size === 0))
})
