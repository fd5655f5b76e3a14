// Frames that wait and leave: as one buffer, with the bytes of these frames and of no others.
import { describe, expect, it } from 'vitest'
import type { Frame } from '../../../src/wire/frame.js'
import { type Held, HeldFrames } from '../../../src/response/stream/held.js'

const ABC = Buffer.from('abcdefghijklmnopqrstuvwxyz')
const DIGITS = Buffer.from('01234567890123456789')

type Place = readonly [bytes: Buffer, start: number, end: number]

const frameOf = (bytes: Buffer, start: number, end: number): Frame => ({
  bytes,
  start,
  end,
  kind: 'events',
  events: [{ data: 'x' }],
})

/** Each frame has text, and a check of it has begun before the next frame comes. */
function holding(...places: readonly Place[]): HeldFrames {
  let position = 0
  const held = new HeldFrames(
    (_frame, each) => (each.position = ++position),
    () => true,
  )
  held.add(places.map((place) => frameOf(...place)))
  return held
}
const all = (): boolean => true
const text = (bytes: Buffer | undefined): string | undefined => bytes?.toString()

describe('The bytes of frames that leave', () => {
  it.each<[string, readonly Place[], string]>([
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
  ])('%s', (_what, places, wanted) => {
    expect(text(holding(...places).take(all, () => undefined))).toBe(wanted)
  })

  it('are those at the front alone, up to the first that may not leave', () => {
    const held = holding([ABC, 0, 3], [ABC, 3, 6], [ABC, 6, 9])
    const told: number[] = []
    const upTo = (limit: number): string | undefined =>
      text(
        held.take(
          ({ position }) => position <= limit,
          ({ position }) => void told.push(position),
        ),
      )
    expect([upTo(1), upTo(1), told, Buffer.concat(held.bytes()).toString()]).toEqual(['abc', undefined, [1], 'defghi'])
    expect([upTo(9), held.empty, told]).toEqual(['defghi', true, [1, 2, 3]])
    held.add([frameOf(ABC, 0, 3)])
    held.clear()
    expect([held.empty, held.bytes()]).toEqual([true, []])
  })

  it('are the same however many frames came, and however few of them leave at once', () => {
    const stream = Array.from({ length: 500 }, (_, at) => `data: ${'x'.repeat((at * 7919) % 97)} ${at}\n\n`)
    for (const step of [1, 3, 40, 500]) {
      let position = 0
      const held = new HeldFrames(
        (_frame, each) => (each.position = ++position),
        () => true,
      )
      let left = ''
      for (const [at, event] of stream.entries()) {
        held.add([frameOf(Buffer.from(event), 0, event.length)])
        if (at % step === step - 1)
          left +=
            text(
              held.take(
                ({ position: own }) => own <= at - 5,
                () => undefined,
              ),
            ) ?? ''
      }
      expect(left + Buffer.concat(held.bytes()).toString()).toBe(stream.join(''))
      expect(held.bytes().length).toBeLessThan(40)
    }
  })
})

describe('A frame that comes behind another', () => {
  const frame = frameOf(ABC, 0, 1)
  const words = { choice: 0, position: 5 }
  /** How many frames leave when all may leave that a check of choice 0 up to position 5 covers. */
  it.each<[string, Partial<Held>[], boolean, number]>([
    ['leaves with it when the next check reads both', [words, { choice: 0, position: 9 }], false, 0],
    ['waits for a check of its own when one of the first has begun', [words, { choice: 0, position: 9 }], true, 1],
    ['leaves with it when it has no text', [words, {}, {}], true, 3],
    ['may wait longer when the first has no text', [{}, words, { choice: 0, position: 9 }], true, 2],
    ['waits for the check of its own choice', [words, { choice: 1, position: 2 }], false, 1],
    ['waits for all choices in it', [words, { choice: 0, position: 6, others: new Map([[1, 2]]) }], false, 1],
    ['lets it go first when a call begins in it', [words, { calls: true }], false, 1],
    ['leaves with a call that it does not grow', [{ calls: true }, {}], false, 0],
  ])('%s', (_what, found, asked, count) => {
    let at = 0
    const held = new HeldFrames(
      (_frame, each) => void Object.assign(each, found[at++]),
      () => asked,
    )
    held.add(found.map(() => frame))
    const may = ({ choice, position, others, calls }: Held): boolean =>
      !calls && others === undefined && (position === 0 || (choice === 0 && position <= 5))
    expect(held.take(may, () => undefined)?.length ?? 0).toBe(count)
  })

  it('calls what stands for the last of the frames that leave together', () => {
    const told: string[] = []
    const [a, b] = [() => void told.push('a'), () => void told.push('b')]
    const order = [a, undefined, b, undefined]
    let at = 0
    const held = new HeldFrames(
      (_frame, each) => void (each.leaves = order[at++]),
      () => false,
    )
    held.add(order.map(() => frame))
    held.take(all, ({ leaves }) => leaves?.())
    expect(told).toEqual(['b'])
  })
})
