// A JSON value that spans several lines: where it ends, and whether it is one.
import { describe, expect, it } from 'vitest'
import { OpenValue } from '../../../src/response/stream/open-value.js'

/** The number of the line that ends the value; undefined when none does, or when no value begins. */
function endOf(...lines: readonly [string, ...string[]]): number | undefined {
  const [first, ...rest] = lines
  const value = OpenValue.begin(first)
  if (value === undefined) return undefined
  if (value.closed) return 1
  for (const [at, line] of rest.entries()) {
    value.add(line)
    if (value.closed) return at + 2
  }
  return undefined
}

describe('A value over several lines', () => {
  it.each<[string, readonly [string, ...string[]], number | undefined]>([
    ['an object', ['{', '"a": 1', '}'], 3],
    ['objects in each other', ['{', '"a": {', '}', '}'], 4],
    ['an array', ['[', '1', ']'], 3],
    ['an array in an object', ['{"a": [', '1', ']', '}'], 4],
    ['brackets in a string', ['{', '"a": "}]}]",', '"b": "{["', '}'], 4],
    ['a quote in a string', ['{', '"a": "\\"}",', '}'], 3],
    ['a backslash at the end of a string', ['{', '"a": "\\\\"', '}'], 3],
    ['a string behind a string', ['{"a": "b",', '"c": "}"', '}'], 3],
    ['a value without an end', ['{', '{'], undefined],
    ['a string without an end', ['{"a', '"}'], undefined],
  ])('ends where %s ends', (_what, lines, end) => {
    expect(endOf(...lines)).toBe(end)
  })

  it('is given back as it came, without a comma behind it', () => {
    const value = OpenValue.begin('{')!
    value.add('"a": [1,2],')
    value.add('},')
    expect(value.lines()).toEqual(['{', '"a": [1,2],', '},'])
    expect(value.take()).toEqual({ text: '{\n"a": [1,2],\n},', broken: true })
    const whole = OpenValue.begin('{')!
    whole.add('"a": 1')
    whole.add('} , ')
    expect(whole.take()).toEqual({ text: '{\n"a": 1\n} ', broken: false })
  })
})
