// The hold of a stream, step by step: what it does with a verdict, a gate, an error and a client that leaves.
import express from 'express'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LlamaGuardError } from '../../../src/types/errors.js'
import { labelOf } from '../../../src/response/head.js'
import { Framer } from '../../../src/wire/framer.js'
import { eventStreamHold } from '../../../src/response/stream/index.js'
import { ask, guarded, onExpress, serving } from '../../helpers/apps.js'
import { markerGuard } from '../../helpers/guards.js'
import { chat, chunk } from '../../helpers/http.js'
import { fakeContext, fakeResponse, type FakeContext, type FakeResponse } from '../fake-response.js'
import type { Hold } from '../../../src/response/context.js'

const DONE = 'data: [DONE]\n\n'
const says = (content: string, index = 0): string => chunk({ content }, { index })
const bytes = (text: string): Buffer => Buffer.from(text)

function holding(options: Parameters<typeof fakeContext>[1] = {}): {
  exit: FakeResponse
  context: FakeContext
  hold: Hold
} {
  const exit = fakeResponse({ headers: { 'content-type': 'text/event-stream' } })
  const context = fakeContext(exit, options)
  return { exit, context, hold: eventStreamHold(exit, new Framer('events'), context) }
}
const steps = ({ steps: all }: FakeResponse): string[] => all.filter((step) => step !== 'drained')

// Checks start at once here, and not at the end of a turn of the event loop: each test is about one check.
beforeEach(() => void vi.stubGlobal('setImmediate', (call: () => void) => call()))
afterEach(() => void vi.unstubAllGlobals())

describe('A held stream', () => {
  it('does nothing more once it is refused', async () => {
    const { exit, context, hold } = holding()
    hold.write(bytes(says('a', 0) + says('b', 1)))
    await context.checks[0]!.answer('unsafe')
    expect(steps(exit)).toEqual(['refuse 451'])
    hold.write(bytes(says('more')))
    hold.end(bytes(DONE))
    hold.fail(context.decideError('output', new LlamaGuardError('upstream_unavailable')))
    await context.checks[1]!.answer('safe')
    expect(steps(exit)).toEqual(['refuse 451'])
    expect([context.checks.length, context.aborted, context.recorded.length]).toEqual([2, 1, 1])
  })

  it('breaks the connection when its dialect has no last events', async () => {
    const { openaiChat } = await import('../../../src/dialects/openai-chat.js')
    const dialect = {
      ...openaiChat,
      stream: () => ({
        ...openaiChat.stream(),
        block: () => {
          throw new Error('none')
        },
      }),
    }
    const { exit, context, hold } = holding({ dialect })
    hold.write(bytes(says('a')))
    await context.checks[0]!.answer('safe')
    hold.end(bytes(says('b')))
    await context.checks[1]!.answer('unsafe')
    expect(steps(exit).at(-1)).toBe('destroy')
  })

  it('drops all it holds, stops its timers and calls everything off when the client leaves', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { exit, context, hold } = holding()
      hold.write(bytes(says('a')))
      await context.checks[0]!.answer('safe')
      hold.write(bytes(says('b')))
      // Other tests of this process may have timers too.
      const timers = vi.getTimerCount()
      hold.gone()
      expect([vi.getTimerCount(), context.aborted]).toEqual([timers - 1, 1])
      hold.write(bytes(says('c')))
      hold.end(undefined)
      expect([context.checks.length, exit.steps.filter((step) => step !== 'drained')]).toEqual([
        1,
        [`release ${says('a')}`],
      ])
    } finally {
      vi.useRealTimers()
    }
  })

  it('ignores a verdict that comes after the client has left', async () => {
    const { exit, context, hold } = holding()
    hold.write(bytes(says('a')))
    hold.gone()
    await context.checks[0]!.answer('unsafe')
    expect([steps(exit), context.recorded]).toEqual([[], []])
  })

  it('asks its handler to wait only while a verdict is due', async () => {
    const { context, hold } = holding()
    const long = 'x'.repeat(300 * 1024)
    hold.write(bytes(`data: ${long}`))
    expect(hold.full).toBe(false)
    hold.write(bytes('\n\n'))
    expect(hold.full).toBe(true)
    await context.checks[0]!.answer('safe')
    expect(hold.full).toBe(false)
  })

  it('counts what has left as held no longer', async () => {
    const { exit, context, hold } = holding({ maxReplyBytes: 1000, windowChars: 100 })
    for (let at = 0; at < 10; at += 1) {
      hold.write(bytes(says(`${at} `.repeat(100))))
      await context.checks[at]!.answer('safe')
    }
    expect(steps(exit)).toHaveLength(10)
  })

  it('counts the last word on a stream once, with every check', async () => {
    const { context, hold } = holding()
    hold.write(bytes(says('a')))
    hold.end(bytes(DONE))
    await context.checks[0]!.answer('safe')
    expect(context.recorded.map(({ action }) => action)).toEqual(['allow'])
  })
})

describe('A stream beside its input check', () => {
  it('releases nothing before the gate opens, and all that is judged then', async () => {
    const { exit, context, hold } = holding({ parallel: true })
    hold.write(bytes(says('a')))
    await context.checks[0]!.answer('safe')
    expect(steps(exit)).toEqual([])
    await context.openGate(true)
    expect(steps(exit)).toEqual([`release ${says('a')}`])
  })

  it('releases nothing ever when the gate stays shut', async () => {
    const { exit, context, hold } = holding({ parallel: true })
    hold.write(bytes(says('a')))
    await context.openGate(false)
    await context.checks[0]!.answer('safe')
    hold.write(bytes(says('b')))
    hold.end(undefined)
    expect([steps(exit), context.checks.length]).toEqual([[], 1])
  })

  it('asks its handler to wait while the gate is shut, whatever has been judged', async () => {
    const { context, hold } = holding({ parallel: true })
    hold.write(bytes(`data: ${'x'.repeat(300 * 1024)}\n\n`))
    await context.checks[0]!.answer('safe')
    expect(hold.full).toBe(true)
    await context.openGate(true)
    expect(hold.full).toBe(false)
  })

  it('lets nothing pass unjudged before the gate opens, also with onError open', async () => {
    const { exit, context, hold } = holding({ parallel: true, onError: 'open' })
    hold.write(bytes('data: {"a":1,"a":2}\n\n'))
    expect(steps(exit)).toEqual(['refuse 503'])
    await context.openGate(true)
    expect(steps(exit)).toEqual(['refuse 503'])
    expect(context.recorded.map(({ action }) => action)).toEqual(['unavailable'])
  })
})

describe('A stream whose handler writes much in one turn', () => {
  beforeEach(() => void vi.unstubAllGlobals())

  it('is full until the turn has ended, and reads then what came as one text', async () => {
    const { exit, context, hold } = holding()
    for (const word of ['a', 'b', 'c']) hold.write(bytes(says(word)))
    hold.write(bytes(`: ${'x'.repeat(300 * 1024)}`))
    expect([hold.full, exit.steps, context.checks.length]).toEqual([true, [], 0])
    await nextTurn()
    // The comment goes on, so the handler must go on too, once the verdict is there.
    expect([hold.full, context.checks.map(({ text }) => text)]).toEqual([true, ['abc']])
    await context.checks[0]!.answer('safe')
    expect([hold.full, exit.steps.at(-1)]).toEqual([false, 'drained'])
  })

  it.each(['writes', 'ends with'])('holds no more than it must when it %s what no longer fits', async (last) => {
    const { exit, hold } = holding({ streaming: 'async', maxReplyBytes: 1000 })
    const words = Array.from({ length: 20 }, (_, at) => says(`word ${at}`))
    for (const word of words.slice(0, -1)) hold.write(bytes(word))
    if (last === 'writes') hold.write(bytes(words.at(-1)!))
    hold.end(last === 'writes' ? undefined : bytes(words.at(-1)!))
    await nextTurn()
    const released = steps(exit).map((step) => step.replace(/^release /, ''))
    expect([released.slice(0, -1).join(''), released.at(-1)]).toEqual([words.join(''), 'finish'])
  })

  it('does not wait when none of it is a frame', async () => {
    const { exit, hold } = holding()
    hold.write(bytes(`: ${'x'.repeat(300 * 1024)}`))
    expect([hold.full, exit.steps]).toEqual([true, []])
    await nextTurn()
    expect([hold.full, exit.steps]).toEqual([false, ['drained']])
  })
})

describe('With onError open a stream', () => {
  it('that cannot be read passes from there on, what was held and half a frame included', async () => {
    const { exit, context, hold } = holding({ onError: 'open' })
    hold.write(bytes(says('a')))
    hold.write(bytes(`data: {"a":1,"a":2}\n\n${says('b')}data: half`))
    expect(
      steps(exit)
        .map((step) => step.replace('release ', ''))
        .join(''),
    ).toBe(`${says('a')}data: {"a":1,"a":2}\n\n${says('b')}data: halfopen`)
    expect(context.recorded).toHaveLength(1)
  })

  it.each([
    ['events', 'text/event-stream', says('a')],
    ['JSON lines', 'application/x-ndjson', '{"a":1}\n'],
    ['a JSON array that ends', 'application/json', '[{"a":1}] x\n'],
  ])('of %s passes whole when a value in the middle of a chunk cannot be read', (_, type, before) => {
    const framing = type === 'application/json' ? 'json-array' : 'text'
    for (const cut of [undefined, 700_000, 1_400_000]) {
      const exit = fakeResponse({ headers: { 'content-type': type } })
      const context = fakeContext(exit, { onError: 'open' })
      const hold = eventStreamHold(exit, new Framer(labelOf(type, framing)!), context)
      const text = `${before}data: {"x":[\n${`data: ${'1,'.repeat(1000)}\n`.repeat(700)}${says('b')}data: half`
      hold.write(bytes(text.slice(0, cut)))
      // Once the response is open, the handler writes to it directly.
      const rest = cut === undefined ? '' : text.slice(cut)
      if (!steps(exit).includes('open')) hold.write(bytes(rest))
      else exit.release(bytes(rest))
      const left = steps(exit).flatMap((step) => /^release ([^]*)$/.exec(step)?.[1] ?? [])
      expect(left.join('') === text).toBe(true)
      expect(context.recorded.map(({ outcome }) => outcome.code)).toEqual(['unreadable_response'])
    }
  })

  it.each(['writes', 'ends with'])('passes with what no longer fits when it %s that', (last) => {
    vi.unstubAllGlobals()
    const { exit, hold } = holding({ onError: 'open', maxReplyBytes: 60 })
    hold.write(bytes('data: {"a":1,"a":2}\n\n'))
    if (last === 'writes') hold.write(bytes(says('b')))
    else hold.end(bytes(says('b')))
    const passed = `data: {"a":1,"a":2}\n\nopen${says('b')}`
    expect(
      steps(exit)
        .map((step) => step.replace(/^release |^finish /, ''))
        .join(''),
    ).toBe(passed)
  })

  it('is ended when the handler has ended already', async () => {
    const { exit, hold } = holding({ onError: 'open' })
    hold.end(bytes(`data: {"a":1,"a":2}\n\n`))
    expect(steps(exit)).toEqual(['release data: {"a":1,"a":2}\n\n', 'finish'])
  })

  it('goes on after a check that failed, and is still stopped by an unsafe one', async () => {
    const { exit, context, hold } = holding({ onError: 'open' })
    hold.write(bytes(says('a')))
    await context.checks[0]!.answer('error')
    hold.end(bytes(says('b')))
    await context.checks[1]!.answer('unsafe')
    expect(steps(exit)[0]).toBe(`release ${says('a')}`)
    expect(steps(exit)[1]).toMatch(/^cut .*content_filter/)
  })
})

describe('In async mode a stream', () => {
  it('leaves at once, and is cut by an unsafe verdict', async () => {
    const { exit, context, hold } = holding({ streaming: 'async' })
    hold.write(bytes(says('a')))
    expect(steps(exit)).toEqual([`release ${says('a')}`])
    await context.checks[0]!.answer('unsafe')
    expect(steps(exit)[1]).toMatch(/^cut /)
  })

  it('is recorded when its last check is done, and not before', async () => {
    const { context, hold } = holding({ streaming: 'async' })
    hold.end(bytes(says('a') + DONE))
    await nextTurn()
    expect(context.recorded).toEqual([])
    await context.checks[0]!.answer('unsafe')
    expect(context.recorded.map(({ outcome }) => outcome.state)).toEqual(['unsafe'])
  })
})

describe('The checks of a stream', () => {
  beforeEach(() => void vi.unstubAllGlobals())

  it('are remembered for its first words and the whole', async () => {
    const guard = markerGuard()
    const llama = guarded({ guard, windowChars: 1, cacheMax: 100 })
    await serving(
      onExpress(express)([llama], async (_req, res) => {
        res.setHeader('content-type', 'text/event-stream')
        for (const [at, word] of ['one ', 'two ', 'three ', 'four'].entries()) {
          res.write(says(word))
          await vi.waitFor(() => expect(guard.asked).toHaveLength(at + 2))
        }
        res.end(says('.') + DONE)
      }),
      ({ url }) => ask(`${url}/v1/chat/completions`, { body: chat('hi', { stream: true }) }),
    )
    expect([guard.asked.length, llama.stats().cache.entries]).toEqual([6, 3])
  })

  it('do not begin when the client has left', async () => {
    const { context, hold } = holding()
    hold.write(bytes(says('one')))
    hold.gone()
    await nextTurn()
    expect(context.checks).toEqual([])
  })
})
