// The bytes that are in no frame: none is lost and none is twice, however the stream was cut and wherever it breaks.
import { describe, expect, it } from 'vitest'
import { Frame, type Framer } from '../../../src/response/stream/framing.js'
import { Unframed } from '../../../src/response/stream/unframed.js'

const TEXT = 'abcdefghi'

/** Frames two bytes at a time, and throws at the byte `broken`. */
function pairs(broken?: string): Framer {
  let open = Buffer.alloc(0)
  return {
    push(chunk) {
      open = Buffer.concat([open, chunk])
      if (broken !== undefined && open.includes(broken)) throw new TypeError('broken')
      const frames: Frame[] = []
      for (; open.length >= 2; open = open.subarray(2)) frames.push(new Frame(open, 0, 2, {}))
      return frames
    },
    finish: () => (open.length === 0 ? [] : [new Frame(open, 0, open.length, {})]),
  }
}

/** All ways to cut the text in three and to read after some of the parts. */
const CUTS = Array.from({ length: 9 }, (_, first) =>
  Array.from({ length: 9 - first }, (_, more) =>
    [0, 1, 2, 3].map((reads) => ({
      parts: [TEXT.slice(0, first), TEXT.slice(first, first + more), TEXT.slice(first + more)],
      reads,
    })),
  ),
).flat(2)

describe('The bytes of a stream', () => {
  it.each([
    ['end', undefined],
    ['break at their first', 'a'],
    ['break in their middle', 'e'],
    ['break at their last', 'i'],
  ])('are each in a frame or in the rest when they %s', (_, broken) => {
    for (const { parts, reads } of CUTS) {
      const unframed = new Unframed(pairs(broken))
      let framed = ''
      let given = ''
      const read = (): void => {
        try {
          for (const { raw } of unframed.read()) framed += raw.toString()
        } catch {
          // The rest has them.
        }
        expect(framed + unframed.rest().toString()).toBe(given)
      }
      for (const [at, part] of parts.entries()) {
        unframed.add(Buffer.from(part))
        given += part
        expect([framed + unframed.rest().toString(), unframed.hasUnread]).toEqual([given, true])
        if ((reads & (at + 1)) !== 0) read()
      }
      read()
      expect([framed + unframed.rest().toString(), unframed.hasUnread]).toEqual([TEXT, false])
      if (broken === undefined) {
        for (const { raw } of unframed.finish()) framed += raw.toString()
        expect([framed, unframed.rest().length]).toEqual([TEXT, 0])
      }
    }
  })

  it('are read as one chunk when they were written in one turn', () => {
    const chunks: string[] = []
    const unframed = new Unframed({ push: (chunk) => (chunks.push(chunk.toString()), []), finish: () => [] })
    for (const letter of TEXT) unframed.add(Buffer.from(letter))
    unframed.read()
    unframed.read()
    expect(chunks).toEqual([TEXT])
  })

  it('are forgotten when they are cleared', () => {
    const unframed = new Unframed(pairs())
    unframed.add(Buffer.from('abc'))
    unframed.read()
    unframed.add(Buffer.from('d'))
    unframed.clear()
    expect([unframed.rest().length, unframed.hasUnread]).toEqual([0, false])
  })
})
