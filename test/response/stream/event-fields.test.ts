// The lines of one event, one by one: what a client reads that does not join them.
import { describe, expect, it } from 'vitest'
import { EventFields } from '../../../src/response/stream/event-fields.js'

const data = (text: string): object => ({ kind: 'data', event: { data: text } })

describe('An event whose lines say something one by one', () => {
  it.each<[string, string[], object[] | undefined]>([
    ['one line', ['data: a'], undefined],
    ['two lines', ['data: a', 'data: b'], [data('a'), data('b')]],
    ['an indented line before the first', [' data: a', 'data: b'], [data('a'), data('b')]],
    ['an indented line behind the first', ['data: a', ' data: b'], [data('a'), data('b')]],
    ['an indented line before two', [' data: a', 'data: b', 'data: c'], [data('a'), data('b'), data('c')]],
    ['Python’s ends of lines in the first', ['data: a\u2028data: b'], [data('a'), data('b')]],
    [
      'an indented line before one that Python takes apart',
      [' data: a', 'data: b\u2028data: c'],
      [data('a'), data('b'), data('c')],
    ],
  ])('keeps each of them once, in order: %s', (_what, lines, read) => {
    const fields = new EventFields()
    for (const line of lines) fields.read(line)
    expect(fields.take().lines).toEqual(read)
    expect(fields.take()).toEqual({ event: {}, lines: undefined })
  })
})
