// Frames that wait and leave: as one buffer, with the bytes of these frames and of no others.
import { describe, expect, it } from 'vitest'
import { Frame } from '../../../src/wire/frame.js'
import { HeldFrames } from '../../../src/response/stream/held.js'

const ABC = Buffer.from('abcdefghijklmnopqrstuvwxyz')
const DIGITS = Buffer.from('01234567890123456789')

type Place = readonly [bytes: Buffer, start: number, end: number]

function holding(...places: readonly Place[]): HeldFrames {
  const held = new HeldFrames()
  held.add(
    places.map(([bytes, start, end]) => new Frame([bytes, start, end], 'events', [{ data: 'x' }])),
    () => undefined,
  )
  return held
}
const all = (): boolean => true

describe('The bytes of frames that leave', () => {
  it.each<[string, readonly Place[], string]>([
    [
      'are a part of their buffer when they touch',
      [
        [ABC, 2, 5],
        [ABC, 5, 9],
      ],
      'cdefghi',
    ],
    [
      'are those of both buffers, though one goes on where the other ends',
      [
        [ABC, 0, 5],
        [DIGITS, 5, 9],
      ],
      'abcde5678',
    ],
    [
      'leave out what stands between them',
      [
        [ABC, 0, 3],
        [ABC, 6, 9],
      ],
      'abcghi',
    ],
    [
      'are in the order of the frames',
      [
        [ABC, 6, 9],
        [ABC, 0, 3],
      ],
      'ghiabc',
    ],
  ])('%s', (_what, places, text) => {
    expect(
      holding(...places)
        .take(all, () => undefined)!
        .toString(),
    ).toBe(text)
  })

  it('are those at the front alone, up to the first that may not leave', () => {
    const held = holding([ABC, 0, 3], [ABC, 3, 6], [ABC, 6, 9])
    const told: string[] = []
    const taken = held.take(
      ({ frame }) => frame.start !== 3,
      ({ raw }) => void told.push(raw.toString()),
    )
    expect([taken!.toString(), told, held.frames().map(({ raw }) => raw.toString())]).toEqual([
      'abc',
      ['abc'],
      ['def', 'ghi'],
    ])
    expect(
      held.take(
        ({ frame }) => frame.start !== 3,
        () => undefined,
      ),
    ).toBeUndefined()
    held.clear()
    expect([held.empty, held.frames()]).toEqual([true, []])
  })
})
