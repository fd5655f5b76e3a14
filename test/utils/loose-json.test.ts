// JSON as lenient clients read it: with blanks around it that JSON does not know, and with the numbers of Python.
import { describe, expect, it } from 'vitest'
import { parseLoosely } from '../../src/utils/loose-json.js'

describe('JSON as lenient clients read it', () => {
  it.each<[string, unknown]>([
    ['{"a":1}', { a: 1 }],
    ['\uFEFF\u00A0{"a":1}\uFEFF', { a: 1 }],
    ['{"a":NaN,"b":[-Infinity,Infinity]}', { a: null, b: [null, null] }],
    ['{"a":"NaN \\" Infinity","b":NaN}', { a: 'NaN " Infinity', b: null }],
  ])('is %j', (text, value) => {
    expect(parseLoosely(text)).toEqual({ value })
  })

  it.each(['', 'words', '{"a":NaNa}', '{"a"', 'NaN of it'])('is not %j', (text) => {
    expect(parseLoosely(text)).toBeUndefined()
  })
})
