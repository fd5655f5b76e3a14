// The hold of a whole reply, step by step: what it does with a verdict, a gate, too many bytes and a client that
// leaves.
import { describe, expect, it } from 'vitest'
import type { Hold } from '../../../src/response/context.js'
import { gateHold, readReply, wholeHold } from '../../../src/response/whole/index.js'
import { openaiChat } from '../../../src/dialects/openai-chat.js'
import { LlamaGuardError } from '../../../src/types/errors.js'
import { fakeContext, fakeResponse, type FakeContext, type FakeResponse } from '../fake-response.js'

const bytes = (text: string): Buffer => Buffer.from(text)
const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2))

function holding(
  options: Parameters<typeof fakeContext>[1] = {},
  make = wholeHold,
): { exit: FakeResponse; context: FakeContext; hold: Hold } {
  const exit = fakeResponse({ headers: { 'content-type': 'text/plain' } })
  const context = fakeContext(exit, options)
  return { exit, context, hold: make(exit, context) }
}

describe('A whole reply', () => {
  it('leaves in the writes of the handler, once', async () => {
    const { exit, context, hold } = holding()
    hold.write(bytes('a'))
    hold.write(bytes('b'))
    hold.end(bytes('c'))
    await tick()
    expect([context.checks[0]!.text, exit.steps]).toEqual(['abc', []])
    await context.checks[0]!.answer('safe')
    expect(exit.steps).toEqual(['release a', 'release b', 'finish c'])
    expect(context.recorded).toHaveLength(1)
  })

  it('that is past its bound is refused at once, and asked about no more', async () => {
    for (const last of [undefined, bytes('x'.repeat(20))]) {
      const { exit, context, hold } = holding({ maxReplyBytes: 10 })
      if (last === undefined) hold.write(bytes('x'.repeat(11)))
      else hold.end(last)
      expect(exit.steps).toEqual(['refuse 503'])
      hold.write(bytes('more'))
      hold.end(bytes('and more'))
      await tick()
      expect([exit.steps, context.checks, context.recorded.length]).toEqual([['refuse 503'], [], 1])
    }
  })

  it('that is past its bound with onError open leaves, and what follows leaves as it comes', () => {
    const { exit, hold } = holding({ maxReplyBytes: 10, onError: 'open' })
    hold.write(bytes('x'.repeat(8)))
    hold.write(bytes('y'.repeat(8)))
    expect(exit.steps).toEqual([`release ${'x'.repeat(8)}`, `release ${'y'.repeat(8)}`, 'open'])
    const ended = holding({ maxReplyBytes: 10, onError: 'open' })
    ended.hold.end(bytes('x'.repeat(20)))
    expect(ended.exit.steps).toEqual([`finish ${'x'.repeat(20)}`])
  })

  it('is not answered when the client has left', async () => {
    const { exit, context, hold } = holding()
    hold.end(bytes('a'))
    await tick()
    hold.gone()
    await context.checks[0]!.answer('safe')
    expect([exit.steps, context.aborted, context.recorded]).toEqual([[], 1, []])
  })

  it('is refused when its source broke off, whatever is judged later', async () => {
    const { exit, context, hold } = holding()
    hold.end(bytes('a'))
    await tick()
    hold.fail(context.decideError('output', new LlamaGuardError('upstream_unavailable')))
    await context.checks[0]!.answer('safe')
    expect([exit.steps, context.recorded.length]).toEqual([['refuse 503'], 1])
  })

  it('breaks the connection when the last step fails, and rejects nowhere', async () => {
    const { exit, context, hold } = holding()
    Object.assign(exit, {
      finish: () => {
        throw new Error('no')
      },
    })
    hold.end(bytes('a'))
    await tick()
    await context.checks[0]!.answer('safe')
    expect(exit.steps).toEqual(['destroy'])
  })
})

describe.each<[string, typeof wholeHold]>([
  ['A whole reply', wholeHold],
  ['A reply without words', (exit, context) => gateHold(exit, context, 'no-body')],
])('%s beside its input check', (_name, make) => {
  it('waits for the gate', async () => {
    const { exit, context, hold } = holding({ parallel: true }, make)
    hold.end(bytes('a'))
    await tick()
    await context.checks[0]?.answer('safe')
    expect(exit.steps).toEqual([])
    await context.openGate(true)
    expect(exit.steps).toEqual(['finish a'])
  })

  it('never leaves when the gate stays shut', async () => {
    const { exit, context, hold } = holding({ parallel: true }, make)
    hold.end(bytes('a'))
    await tick()
    await context.openGate(false)
    await context.checks[0]?.answer('safe')
    expect([exit.steps, context.recorded]).toEqual([[], []])
  })

  it('is refused past its bound before the gate opens, also with onError open', async () => {
    const { exit, context, hold } = holding({ parallel: true, maxReplyBytes: 10, onError: 'open' }, make)
    hold.write(bytes('x'.repeat(20)))
    expect(exit.steps).toEqual(['refuse 503'])
    await context.openGate(true)
    hold.end(undefined)
    await tick()
    expect(exit.steps).toEqual(['refuse 503'])
  })

  it('that cannot be read waits for the gate too, with onError open', async () => {
    const { exit, context, hold } = holding({ parallel: true, onError: 'open' }, wholeHold)
    hold.end(bytes('\u0000binary'))
    await tick()
    expect(exit.steps).toEqual([])
    await context.openGate(true)
    expect(exit.steps).toEqual(['finish \u0000binary'])
  })
})

it('A reply of more choices than any API gives cannot be read.', async () => {
  const reply = (count: number): Promise<unknown> =>
    readReply(
      {
        bytes: bytes(
          JSON.stringify({
            choices: Array.from({ length: count }, (_, index) => ({ index, message: { content: 'a' } })),
          }),
        ),
        status: 200,
        contentType: 'application/json',
        codings: [],
        maxBytes: 1e6,
      },
      openaiChat,
    )
  await expect(reply(128)).resolves.toHaveLength(128)
  await expect(reply(129)).rejects.toMatchObject({ code: 'unreadable_response' })
})
