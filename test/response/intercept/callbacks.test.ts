// Callbacks of held writes: when they are called, and when a handler hears a 'drain'.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Backpressure } from '../../../src/response/intercept/callbacks.js'

function waiting(own: object = {}): { writes: Backpressure; heard: string[]; call: () => void } {
  const res = Object.assign(new ServerResponse(new IncomingMessage(new Socket())), own)
  const heard: string[] = []
  ServerResponse.prototype.on.call(res, 'drain', () => heard.push('drain'))
  return { writes: new Backpressure(res), heard, call: () => heard.push('callback') }
}

describe('A handler that has written', () => {
  it('is called back at once when there is room', async () => {
    const { writes, heard, call } = waiting()
    expect(writes.add(call, false)).toBe(true)
    await turn()
    expect([heard, writes.areWaiting]).toEqual([['callback'], false])
  })

  it('waits while its client reads too slowly, although the hold has room again', async () => {
    const { writes, heard, call } = waiting()
    writes.noteSent(false)
    expect(writes.add(call, true)).toBe(false)
    writes.noteRoom()
    await turn()
    expect([heard, writes.areWaiting, writes.slowClient]).toEqual([[], true, true])
    writes.noteDrain(true)
    await turn()
    expect([heard, writes.slowClient]).toEqual([[], false])
    writes.noteRoom()
    await turn()
    expect(heard.sort()).toEqual(['callback', 'drain'])
  })

  it('is called back by the drain of a slow client when the hold has room', async () => {
    const { writes, heard, call } = waiting()
    writes.noteSent(false)
    writes.add(call, false)
    writes.noteDrain(false)
    await turn()
    expect(heard).toEqual(['callback'])
  })

  it('hears one drain for a full hold, and none where nobody would hear it', async () => {
    const { writes, heard } = waiting()
    expect(writes.add(undefined, true)).toBe(false)
    writes.noteRoom()
    writes.noteRoom()
    await turn()
    expect(heard).toEqual(['drain'])
    const deaf = waiting({ on: () => undefined })
    expect(deaf.writes.add(undefined, true)).toBe(true)
    deaf.writes.noteRoom()
    await turn()
    expect(deaf.heard).toEqual([])
  })

  it('keeps its order: a later write is not called back before an earlier one', async () => {
    const { writes, heard, call } = waiting()
    writes.add(() => heard.push('first'), true)
    writes.add(call, false)
    await turn()
    expect(heard).toEqual([])
    writes.noteRoom()
    await turn()
    expect(heard.filter((each) => each !== 'drain')).toEqual(['first', 'callback'])
  })
})
