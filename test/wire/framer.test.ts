// The frames of a streamed reply: whatever the framing and however the bytes are cut, every byte is in one frame or in
// the rest, and what is in no known frame is a failure.
import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Frame } from '../../src/wire/frame.js'
import { Framer, type Label } from '../../src/wire/framer.js'
import { rounds } from '../helpers/sampled.js'

interface Read {
  readonly frames: readonly Frame[]
  readonly rest: Buffer
  readonly failed: boolean
}

function read(label: Label, bytes: Buffer | string, positions: readonly number[] = []): Read {
  const all = Buffer.from(bytes)
  const ends = [...new Set(positions.map((position) => position % (all.length + 1)))].sort((a, b) => a - b)
  const framer = new Framer(label)
  const pieces = [...ends, all.length].map((end, index) => all.subarray(index === 0 ? 0 : ends[index - 1], end))
  const frames = [...pieces.flatMap((piece) => framer.push(piece)), ...framer.finish()]
  return { frames, rest: framer.rest(), failed: framer.failure !== undefined }
}
const raw = ({ bytes, start, end }: Frame): Buffer => bytes.subarray(start, end)
const raws = ({ frames, rest }: Read): Buffer => Buffer.concat([...frames.map(raw), rest])
const says = ({ frames }: Read): object[] =>
  frames.flatMap(({ events }) => events).filter((event) => Object.keys(event).length > 0)
const datas = ({ frames }: Read): string[] => frames.flatMap(({ events }) => events.flatMap(({ data }) => data ?? []))
const kinds = ({ frames }: Read): string[] => [...new Set(frames.map(({ kind }) => kind))]
const CUTS = fc.array(fc.nat())

describe('Server-sent events', () => {
  const line = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => `data: ${text.replace(/[\r\n\0]/g, ' ')}`),
    fc.constantFrom('data', 'data:', 'event: delta', ': ping', ':', 'id: 7', 'id: words', 'retry: 10', 'x: field', ''),
  )
  const stream = fc
    .tuple(fc.boolean(), fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n')), { maxLength: 30 }))
    .map(([bom, lines]) => Buffer.from(`${bom ? '\uFEFF' : ''}:\n${lines.map(([text, end]) => text + end).join('')}`))

  it('are read alike from every cut, and give back every byte', () => {
    fc.assert(
      fc.property(stream, CUTS, (bytes, positions) => {
        const whole = read('events', bytes)
        expect([raws(whole), whole.failed]).toEqual([bytes, false])
        const pieces = read('events', bytes, positions)
        expect([raws(pieces), says(pieces)]).toEqual([bytes, says(whole)])
      }),
      { numRuns: rounds(1000) },
    )
  })

  it('are read as a standard parser reads them, and so is what that parser would drop at the end', () => {
    fc.assert(
      fc.property(stream, (bytes) => {
        const theirs: string[] = []
        const parser = createParser({ onEvent: ({ data }) => void theirs.push(data) })
        parser.feed(`${bytes.toString()}\n\n`)
        const ours = datas(read('events', bytes))
        expect(ours.filter((data) => data !== '')).toEqual(theirs.filter((data) => data !== ''))
      }),
    )
  })

  it.each<[string, string, readonly object[]]>([
    [
      'comments, unknown fields, wordy ids',
      ': a comment\nid: not a number\nsecret: field\ndata: x\n\n',
      [{ data: 'x', other: 'a comment\nnot a number\nsecret: field\n' }],
    ],
    [
      'fields like `data`',
      'event: e\nnote: words\n\ndatb:words\ndata\ndata: x\n\n',
      [
        { event: 'e', other: 'note: words\n' },
        { data: '\nx', other: 'datb:words\n' },
      ],
    ],
    [
      'counters behind words',
      'data: word\nid: 42\nevent: message\n\n',
      [{ event: 'message', other: 'message\n', data: 'word' }],
    ],
    ['fields behind JSON', 'data: {"a":1}\nid: evt_x7\n\n', [{ other: 'evt_x7', data: '{"a":1}' }]],
    ['keep-alives and counters', ':\n\nid: 42\nretry: 3000\n\n', []],
    ['two names', 'event: a\nevent: b\ndata: x\n\n', [{ event: 'b', other: 'a', data: 'x' }]],
    [
      'no blank line between',
      'data: {"a":1}\ndata: {"b":2}\ndata: [DONE]\n',
      [{ data: '{"a":1}' }, { data: '{"b":2}' }, { data: '[DONE]' }],
    ],
    [
      'no blank line before a name',
      'event: a\ndata: {"a":1}\nevent: b\ndata: {"b":2}\n',
      [
        { event: 'a', data: '{"a":1}' },
        { event: 'b', data: '{"b":2}' },
      ],
    ],
    ['a value over several lines', 'data: {\ndata: "a":1}\n\n', [{ data: '{\n"a":1}' }]],
    ['a list of objects', 'data: [{"a":1},{"b":"]"}]\n\n', [{ data: '{"a":1}' }, { data: '{"b":"]"}' }]],
    ['a list under a name', 'event: e\ndata: [{"a":1},{}]\n\n', [{ event: 'e', data: '[{"a":1},{}]' }]],
    ['blank lines first', '\n\r\ndata: x\n\n', [{ data: 'x' }]],
  ])('with %s are read', (_what, text, events) => {
    for (const cuts of [[], Array.from({ length: text.length }, (_, at) => at)]) {
      const got = read('events', text, cuts)
      expect([says(got), got.failed, kinds(got)]).toEqual([events, false, ['events']])
    }
  })

  it.each<[string, string]>([
    ['a lone CR', 'data: a\rdata: b\n\n'],
    ['a line of JSON', 'data: a\n\n{"a":1}\n'],
    ['an indented field', 'data: a\n\n  data: b\n\n'],
    ['a field behind a byte order mark', 'data: a\n\n\uFEFFdata: b\n\n'],
    ['a part of a data stream', ': ping\n\n0:"a"\n'],
    ['binary', 'data: a\0b\n\n'],
  ])('with %s fail where it stands', (_what, text) => {
    const got = read('events', text)
    expect([got.failed, raws(got).toString()]).toEqual([true, text])
  })

  it('take time linear in a line that comes byte by byte', () => {
    const framer = new Framer('events')
    framer.push(Buffer.from('data: '))
    for (let index = 0; index < 200_000; index++) framer.push(Buffer.from('x'))
    expect(raw(framer.finish()[0]!)).toHaveLength(200_006)
  })
})

describe('JSON lines', () => {
  it('are read alike from every cut, and give back every byte', () => {
    const text = fc
      .array(fc.tuple(fc.json({ noUnicodeString: false }), fc.constantFrom('\n', '\r\n', '\n\n')), {
        minLength: 1,
        maxLength: 8,
      })
      .map((lines) => Buffer.from(lines.map(([json, end]) => json + end).join('')))
    fc.assert(
      fc.property(text, CUTS, (bytes, positions) => {
        const whole = read('lines', bytes)
        const pieces = read('lines', bytes, positions)
        expect([raws(pieces), says(pieces), pieces.failed]).toEqual([bytes, says(whole), false])
      }),
    )
  })

  it.each<[string, string, string[], string]>([
    ['a JSON sequence', '\u001e{"a":1}\n\u001e{"b":2}\n', ['{"a":1}', '{"b":2}'], 'sequence'],
    ['lists', '[{"a":1},{"b":2}]\n[1]\n', ['{"a":1}', '{"b":2}', '[1]'], 'lines'],
    ['an array by lines', '[{"a":1}\n,{"b":2}\n]\n', ['{"a":1}', '{"b":2}'], 'lines'],
    ['a data stream', 'f:{"m":1}\n0:"a"\n8:7\n', ['{"m":1}', '"a"', '7'], 'lines'],
    ['events', 'data: {"a":1}\n\n', ['{"a":1}'], 'events'],
  ])('may be %s', (_what, text, data, kind) => {
    const got = read('lines', text)
    expect([datas(got), kinds(got), got.failed]).toEqual([data, [kind], false])
  })

  it.each(['words\n', '{"a":1}\nwords\n', '{"a":1}\ndata: {"b":2}\n\n', '{\n"a":1}\n', '{"a":1}\r{"b":2}\n'])(
    'fail at %j',
    (text) => {
      const got = read('lines', text)
      expect([got.failed, raws(got).toString()]).toEqual([true, text])
    },
  )
})

describe('A JSON array', () => {
  const elements = fc.array(
    fc.oneof(
      fc.json(),
      fc.jsonValue().map((value) => JSON.stringify(value, null, 2)),
    ),
    { maxLength: 6 },
  )
  const array = fc
    .tuple(fc.constantFrom('', ' ', '\uFEFF', '\r\n'), elements, fc.constantFrom(',', '\n,', ',\r\n', ' , '))
    .map(([before, list, comma]) => ({ list, text: `${before}[${list.join(comma)}]\n` }))

  it('gives back every byte and every element, however it is cut', () => {
    fc.assert(
      fc.property(array, CUTS, ({ list, text }, positions) => {
        const got = read('array', text, positions)
        expect([raws(got).toString(), got.failed]).toEqual([text, false])
        const parse = (data: string): unknown => JSON.parse(data)
        expect(datas(got).map(parse)).toEqual(list.map(parse))
      }),
    )
  })

  it('may be one value, and fails where it is none', () => {
    expect(datas(read('array', '{\n"error": {}\n}'))).toEqual(['{\n"error": {}\n}'])
    expect(['[{}] x', '[x]', '[{} {}]'].map((text) => read('array', text).failed)).toEqual([true, true, false])
  })
})

describe('Every label', () => {
  const signs = [
    '[',
    ']',
    '{',
    '}',
    ',',
    '"',
    '\\',
    'data: ',
    'data:',
    'event: x',
    ':',
    '\n',
    '\r\n',
    '0:"',
    'x',
    '1',
    'é',
  ]
  const anything = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...signs) }))

  it.each<Label>(['events', 'lines', 'array', 'text'])('gives back every byte of anything (%s)', (label) => {
    fc.assert(
      fc.property(anything, CUTS, (text, positions) => {
        const got = read(label, text, positions)
        expect(raws(got).toString()).toBe(text)
        // The same in one piece, but for how bare text is cut.
        const whole = read(label, text)
        expect(got.failed).toBe(whole.failed)
        if (!got.failed && !got.frames.some(({ events }) => events[0]?.plain)) expect(says(got)).toEqual(says(whole))
      }),
      { numRuns: rounds(500) },
    )
  })

  it.each<Label>(['events', 'lines', 'array', 'text'])(
    'takes characters of several bytes, and no other bytes (%s)',
    (label) => {
      const bad = fc.constantFrom('ff', 'c328', 'e28228', 'f0288cbc', 'eda080', 'c0af', '80', '00')
      fc.assert(
        fc.property(fc.string({ unit: 'grapheme' }), fc.option(bad), CUTS, (text, hex, positions) => {
          const bytes = Buffer.concat([
            Buffer.from(`"${text.replace(/["\\\p{Cc}]/gu, ' ')}`),
            Buffer.from(hex ?? '', 'hex'),
            Buffer.from('"\n'),
          ])
          if (hex !== null) expect(read(label, bytes, positions).failed).toBe(true)
          else expect(read(label, bytes, positions).failed).toBe(false)
        }),
      )
    },
  )
})

describe('Bare text', () => {
  it('gives back every byte and every character, however it is cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), CUTS, (text, positions) => {
        const bytes = Buffer.from(`Text: ${text.replaceAll('\0', '')}`)
        const got = read('text', bytes, positions)
        const plain = got.frames.flatMap(({ events }) => events[0]?.data ?? '')
        expect([raws(got), plain.join('')]).toEqual([bytes, bytes.toString()])
      }),
    )
  })

  it.each([
    'Hi',
    'id: 7\nname: x',
    '[a link](http://x)',
    '[ ] a task',
    '"quoted',
    '{{ jinja }}',
    '{% for x %}',
    ':-',
    'event: a party\n',
    '0',
    '#',
  ])('may begin with %j', (text) => {
    const framer = new Framer('text')
    const frames = framer.push(Buffer.from(`${text} and so on`))
    if (text !== ':-')
      expect([frames.length, kinds({ frames, rest: Buffer.alloc(0), failed: false })]).toEqual([1, ['text']])
    expect(framer.failure).toBeUndefined()
  })

  it('is read by its lines too where they are events or JSON', () => {
    expect(says(read('text', 'so\ndata: {"a":1}\nand so'))).toEqual([
      { data: 'so\ndata: {"a":1}\nand so', plain: true },
      { data: '{"a":1}' },
    ])
    expect(says(read('text', '{"a":1}\n'))).toEqual([{ data: '{"a":1}', json: true }])
  })

  it('that some clients would read as values over lines, or as events among values, fails', () => {
    for (const text of [
      '{\n"a":1\n}\n{\n"b":2\n}\n',
      '{\n"a":1\n}{\n"b":2\n}\n',
      '{\n"a":"}{\\""\n}\n  {\n"b":2\n}\n',
      '{"a":1}\ndata: {"b":2}\n',
    ])
      expect([text, read('text', text).failed]).toEqual([text, true])
  })
})
