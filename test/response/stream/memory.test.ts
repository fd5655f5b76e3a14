// What a stream keeps in memory: what it holds, and nothing of what has left.
import { describe, expect, it } from 'vitest'
import { Framer } from '../../../src/wire/framer.js'
import { eventStreamHold } from '../../../src/response/stream/index.js'
import { chunk } from '../../helpers/http.js'
import { alive, turn } from '../alive.js'
import { fakeContext, fakeResponse } from '../fake-response.js'

describe('A stream that is held', () => {
  it.each(['window', 'async'] as const)('keeps none of the frames that have left (%s)', async (streaming) => {
    const exit = fakeResponse()
    const context = fakeContext(exit, { streaming, windowChars: 1e6, windowMs: 1e6 })
    const hold = eventStreamHold(exit, new Framer('events'), context)
    const refs: WeakRef<Buffer>[] = []
    const write = (count: number): void => {
      for (let at = 0; at < count; at++) {
        const frame = Buffer.from(chunk({ content: `word ${at} ` }))
        refs.push(new WeakRef(frame))
        hold.write(frame)
      }
    }
    write(40)
    await turn()
    // While the first check runs, more is written than it has read.
    write(160)
    await context.checks[0]!.answer('safe')
    expect(await alive(refs)).toBeLessThanOrEqual(streaming === 'async' ? 1 : 161)
    hold.end(undefined)
    await turn()
    await context.checks[1]!.answer('safe')
    await turn()
    expect(exit.steps.at(-1)).toBe('finish')
    expect(await alive(refs)).toBe(0)
  })

  it('keeps none of its frames when its client has left', async () => {
    const exit = fakeResponse()
    const hold = eventStreamHold(exit, new Framer('events'), fakeContext(exit))
    const refs: WeakRef<Buffer>[] = []
    for (let at = 0; at < 40; at++) {
      const frame = Buffer.from(chunk({ content: `word ${at} ` }))
      refs.push(new WeakRef(frame))
      hold.write(frame)
    }
    hold.gone()
    expect(await alive(refs)).toBeLessThanOrEqual(1)
    expect([exit.steps.filter((step) => step.startsWith('release')), hold.full]).toEqual([[], false])
  })
})
