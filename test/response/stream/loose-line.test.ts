// One line of a stream, as a client reads it that looks at each line by itself.
import { describe, expect, it } from 'vitest'
import { ndjsonFramer, sseFramer } from '../../../src/response/stream/event-framer.js'
import type { Framer } from '../../../src/response/stream/framing.js'
import { bare, isField, jsonLine, looseLine, opening, pythonLines } from '../../../src/response/stream/loose-line.js'

const data = (text: string): object => ({ kind: 'data', event: { data: text } })
const json = (text: string): object => ({ kind: 'json', event: { data: text } })

describe('A line', () => {
  it.each<[string, object | undefined]>([
    ['data: a', data('a')],
    ['data:a', data('a')],
    ['data:  a', data(' a')],
    ['DATA: a', data('a')],
    ['\uFEFF \u001e data: a', data('a')],
    ['{"a":1}', json('{"a":1}')],
    ['{"a":1},', json('{"a":1}')],
    [',{"a":1}', json('{"a":1}')],
    ['[{"a":1},', json('{"a":1}')],
    ['{"a":1}]', json('{"a":1}')],
    ['[{"a":1}]', json('[{"a":1}]')],
    ['"a"', json('"a"')],
    ['0:"a"', { kind: 'json', event: { data: '"a"', part: '0' } }],
    ['d:{"a":1}', { kind: 'json', event: { data: '{"a":1}', part: 'd' } }],
    ['8:7', { kind: 'json', event: { data: '7', part: '8' } }],
    [',', { kind: 'json', event: {} }],
    ['', undefined],
    ['{}', json('{}')],
    ['""', json('""')],
    ['7', undefined],
    ['"', undefined],
    ['"words', undefined],
    ['[[1', undefined],
    ['{"a"]', undefined],
    ['{"a":', undefined],
    ['words', undefined],
    ['event: a', undefined],
  ])('%j is read by itself', (line, read) => {
    expect(looseLine(line)).toEqual(read)
  })

  it.each(['data: a', 'event: a', 'id: a', 'retry: a', ': a', 'Event: a'])('%j is a field of an event', (line) => {
    expect(isField(line)).toBe(true)
  })

  it.each(['other: a', 'data', 'my data: a', '0:"a"', ''])('%j is no field of an event', (line) => {
    expect(isField(line)).toBe(false)
  })

  it.each<[string, string | undefined]>([
    ['{"a":', '{"a":'],
    ['[', undefined],
    ['[{"a":', '{"a":'],
    [',{"a":', '{"a":'],
    ['0:{"a":', '{"a":'],
    ['words', undefined],
    ['"a', undefined],
  ])('%j begins a value', (line, value) => {
    expect(opening(line)).toBe(value)
  })

  it('says what it says without blanks and marks around it', () => {
    expect(bare(' \uFEFF\u001e \u001e{} \uFEFF')).toBe('{}')
    expect(jsonLine('')).toBeUndefined()
  })

  it('is taken apart as Python does, where more than one part says something', () => {
    expect(pythonLines('data: a')).toEqual([])
    expect(pythonLines('data: a\u2028data: b')).toEqual([data('a'), data('b')])
    expect(pythonLines('words\x85data: b')).toEqual([data('b')])
    expect(pythonLines('data: a\fwords')).toEqual([])
    expect(pythonLines('\u001edata: b')).toEqual([])
    expect(pythonLines('\vdata: a\v{"b":1}')).toEqual([data('a'), json('{"b":1}')])
  })
})

describe.each<[string, () => Framer]>([
  ['events', sseFramer],
  ['lines', ndjsonFramer],
])('Under the label of %s', (_label, make) => {
  const events = (text: string): unknown[] => {
    const framer = make()
    const frames = [...framer.push(Buffer.from(text)), ...framer.finish()]
    return frames.map(({ event, kind, lines }) => ({ event, kind, ...(lines && { lines }) }))
  }

  it.each(['event: named', 'id: some words', 'retry: some words', ': some words'])(
    'an event may begin with %j',
    (field) => {
      const [first, ...rest] = events(`${field}\ndata: a\n\n`) as { event: { data?: string } }[]
      expect([first?.event.data, rest]).toEqual(['a', []])
    },
  )

  it('the `data:` lines behind a value that never ends are an event', () => {
    expect(events('{"a": 1,\ndata: b\ndata: c\n\n')).toEqual([
      { event: { data: 'b\nc', other: '{"a": 1' }, kind: 'field', lines: [data('b'), data('c')] },
    ])
  })

  it('an indented event is read as an event', () => {
    expect(events('  data: a\n\n')).toMatchObject([{ kind: 'field', lines: [data('a')] }])
  })
})
