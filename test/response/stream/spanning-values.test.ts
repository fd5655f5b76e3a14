// JSON values over several lines, and several on one, as clients find them that do not look at each line by itself.
import { describe, expect, it } from 'vitest'
import { SpanningValues, valuesIn } from '../../../src/response/stream/spanning-values.js'

describe('The values within lines', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['one over two lines', ['{"a":', '1}'], ['{"a":\n1}']],
    ['one of `data:` lines', ['data: {"a":', 'data: 1}'], ['{"a":\n1}']],
    ['one whose second line has no prefix', ['data: {"a":', '1}'], ['{"a":\n1}']],
    ['one whose string goes on', ['data: {"a":"b', 'data: c"}'], ['{"a":"bc"}']],
    ['one with brackets in strings', ['{"a":"}{\\"",', '"b":"]"}'], ['{"a":"}{\\"",\n"b":"]"}']],
    ['two on one line', ['{"a":1}{"b":2}'], ['{"a":1}', '{"b":2}']],
    ['two, of which one goes on', ['{"a":1}{"b":', '2}'], ['{"a":1}', '{"b":\n2}']],
    ['one behind words', ['so {"a":1}'], ['{"a":1}']],
    ['one between other fields', ['{"a":', 'event: x', ': y', '1}'], ['{"a":\n1}']],
    ['a whole line', ['{"a":1}'], []],
    ['a list by lines', ['[', '{"a":1},', '{"a":2}', ']'], []],
    ['words in brackets', ['{so', 'it is}'], []],
    ['a bracket in words', ['so [1', '2]'], []],
    ['what never ends', ['{"a":', '{"b":'], []],
  ])('are %s', (_form, lines, values) => {
    expect(valuesIn(lines)).toEqual(values)
  })

  it('are not looked for while every client ends the lines alike', () => {
    const values = new SpanningValues()
    expect(values.read('data: {"a":', true)).toEqual([])
    values.end()
    expect(values.read('data: 1}', true)).toEqual([])
    expect(values.read('data: {"a":', true)).toEqual([])
    expect(values.read('data: 1}', true)).toEqual(['{"a":\n1}'])
  })

  it('have a bound', () => {
    const values = new SpanningValues()
    const lines = (): unknown => Array.from({ length: 2000 }, () => values.read(`[${' '.repeat(1024)}`, false))
    expect(lines).toThrow(expect.objectContaining({ code: 'unreadable_response' }))
  })
})
