import fc from 'fast-check'
import { createParser } from 'eventsource-parser'
import { describe, expect, it } from 'vitest'
import { ndjsonFramer, sseFramer } from '../../../src/response/stream/event-framer.js'
import type { Frame, Framer } from '../../../src/response/stream/framing.js'

function frame(framer: Framer, pieces: readonly Buffer[]): Frame[] {
  return [...pieces.flatMap((piece) => framer.push(piece)), ...framer.finish()]
}

/** Cuts bytes at the given positions, wherever they fall. */
function cut(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const ends = [...new Set(positions.map((position) => position % (bytes.length + 1)))].sort((a, b) => a - b)
  return [...ends, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end))
}

const says = (frames: readonly Frame[]): object[] =>
  frames.map(({ event }) => event).filter((event) => Object.keys(event).length > 0)
const raws = (frames: readonly Frame[]): Buffer => Buffer.concat(frames.map(({ raw }) => raw))

const line = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => `data: ${text.replace(/[\r\n]/g, ' ')}`),
  fc.constantFrom(
    'data',
    'data:',
    'event: delta',
    ': keep-alive',
    ':',
    'id: 7',
    'id: words of a model',
    'retry: 10',
    'unknown: field',
    '',
  ),
)
const stream = fc
  .tuple(fc.boolean(), fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 30 }))
  .map(([bom, lines]) => Buffer.from((bom ? '\uFEFF' : '') + lines.map(([text, end]) => text + end).join('')))

describe('sseFramer', () => {
  it('gives back every byte, however the stream is cut', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat()), (bytes, positions) => {
        expect(raws(frame(sseFramer(), cut(bytes, positions)))).toEqual(bytes)
      }),
    )
  })

  it('reads the same events from every cut as from the whole', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat()), (bytes, positions) => {
        expect(says(frame(sseFramer(), cut(bytes, positions)))).toEqual(says(frame(sseFramer(), [bytes])))
      }),
      { numRuns: 1000 },
    )
  })

  it('reads the data that a standard parser reads, and what that parser would drop at the end', () => {
    fc.assert(
      fc.property(stream, (bytes) => {
        const theirs: string[] = []
        const parser = createParser({ onEvent: ({ data }) => theirs.push(data) })
        // It reads a last line only once it is ended.
        parser.feed(`${new TextDecoder().decode(bytes)}\n\n`)
        // An event of nothing but `data:` lines without text says nothing to either, but only ours reports it.
        const ours = frame(sseFramer(), [bytes]).flatMap(({ event }) => (event.data === undefined ? [] : [event.data]))
        expect(ours.filter((data) => data !== '')).toEqual(theirs.filter((data) => data !== ''))
      }),
    )
  })

  it('puts the text of comments, unknown fields and wordy ids in reach of the judge', () => {
    const [first] = frame(sseFramer(), [Buffer.from(': a comment\nid: not a number\nsecret: field\ndata: x\n\n')])
    expect(first!.event).toEqual({ data: 'x', other: 'a comment\nnot a number\nsecret: field' })
  })

  it('takes no field of four letters for `data`', () => {
    const frames = frame(sseFramer(), [Buffer.from('note: words\n\ndatb:words\ndata\ndata: x\n\n')])
    expect(says(frames)).toEqual([{ other: 'note: words' }, { data: '\nx', other: 'datb:words' }])
  })

  it('has nothing to say for keep-alives and counters', () => {
    const frames = frame(sseFramer(), [Buffer.from(':\n\nid: 42\nretry: 3000\n\n')])
    expect(frames.map(({ event }) => event)).toEqual([{}, {}])
  })

  it('joins a CRLF that was cut in two without ending the event', () => {
    const frames = frame(sseFramer(), [
      Buffer.from('data: a\r'),
      Buffer.from('\ndata: b\r\n\r'),
      Buffer.from('\ndata: c\n\n'),
    ])
    expect(says(frames)).toEqual([{ data: 'a\nb' }, { data: 'c' }])
  })

  it('ends the event at a blank line that comes right after a chunk that ended on CRLF', () => {
    const frames = frame(sseFramer(), [Buffer.from('data: a\r\n'), Buffer.from('\ndata: b\n\n')])
    expect(says(frames)).toEqual([{ data: 'a' }, { data: 'b' }])
  })

  it('takes time linear in a line that comes byte by byte', () => {
    const framer = sseFramer()
    for (let index = 0; index < 200_000; index++) framer.push(Buffer.from('x'))
    expect(framer.finish()[0]!.raw).toHaveLength(200_000)
  })
})

describe('ndjsonFramer', () => {
  it('gives back every byte and every line, however the stream is cut', () => {
    const text = fc
      .array(fc.tuple(fc.json(), fc.constantFrom('\n', '\r\n', '\n\n')), { maxLength: 8 })
      .map((lines) => Buffer.from(lines.map(([json, end]) => json + end).join('')))
    fc.assert(
      fc.property(text, fc.array(fc.nat()), (bytes, positions) => {
        const frames = frame(ndjsonFramer(), cut(bytes, positions))
        expect(raws(frames)).toEqual(bytes)
        expect(says(frames)).toEqual(says(frame(ndjsonFramer(), [bytes])))
      }),
    )
  })
})
