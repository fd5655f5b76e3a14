// JSON as lenient clients read it: with blanks around it that JSON does not know, and with the numbers of Python. Keys
// that an object names twice, however they are spelled.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { namesTwice, parseLoosely, readJson } from '../../src/wire/json.js'

describe('JSON as lenient clients read it', () => {
  it.each<[string, unknown]>([
    ['{"a":1}', { a: 1 }],
    ['\uFEFF\u00A0{"a":1}\uFEFF', { a: 1 }],
    ['{"a":NaN,"b":[-Infinity,Infinity]}', { a: null, b: [null, null] }],
    ['{"a":"NaN \\" Infinity","b":NaN}', { a: 'NaN " Infinity', b: null }],
  ])('is %j', (text, value) => {
    expect(parseLoosely(text)).toEqual({ value })
  })

  it.each(['', 'words', '{"a":NaNa}', '{"a"', 'NaN of it', '"NaN'])('is not %j', (text) => {
    expect(parseLoosely(text)).toBeUndefined()
  })
})

it.each([
  ['{"a":1,"a":2}', true],
  ['{"a":{"b":1,"b":2}}', true],
  ['[{"a":1},{"a":2}]', false],
  ['{"a":"a","b":["a","a"]}', false],
  ['{"a":1,"\\u0061":2}', true],
  ['{"a\\"":1,"a\\"":2}', true],
  ['{"a":[{"c":1}],"b":{},"a":0}', true],
  ['{"a":"\\\\","a":1}', true],
  ['{ "a" : 1 , "a" : 2 }', true],
  [`{${Array.from({ length: 20_000 }, (_, index) => `"${index}":1`).join()},"7":2}`, true],
])('That an object in %.60s names a key twice is %s', (text, twice) => {
  expect(namesTwice(text, JSON.parse(text))).toBe(twice)
})

it('What JSON.stringify writes never names a key twice.', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const value: unknown = JSON.parse(json)
      return !namesTwice(JSON.stringify(value), value)
    }),
  )
})

it('JSON of a client is refused for what it costs by its length: a long list of records is none too many.', () => {
  const records = JSON.stringify(Array.from({ length: 70_000 }, (_, at) => ({ id: at, name: 'a', tags: [] })))
  expect(readJson(records)).toMatchObject({ repeats: false })
  expect(() => readJson('[' + '[],'.repeat(400_000) + '1]')).toThrow('objects, lists and names')
})
