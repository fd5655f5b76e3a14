// UTF-16 in either order, with and without a byte order mark. XMLHttpRequest believes the mark and not the label.
import { describe, expect, it } from 'vitest'
import { ask, onNode, serving } from '../../helpers/apps.js'
import { chat } from '../../helpers/http.js'
import { be, BE_MARK, BLOCKED, codeOf, labelled, LABELS, le, LE_MARK, UNREADABLE, WIDE, wideGuard } from './labelled.js'

const reply = labelled()

describe.each(LABELS)('Under charset=%s', (label) => {
  it.each<[string, (text: string) => Buffer]>([
    ['little', (text) => Buffer.concat([LE_MARK, le(text)])],
    ['big', (text) => Buffer.concat([BE_MARK, be(text)])],
  ])('a byte order mark of the %s order decides, as it does for XMLHttpRequest', async (_order, encode) => {
    for (const text of [WIDE, 'It is UNSAFE.'])
      for (const type of ['text/plain', 'text/html', 'application/xml']) {
        const { status } = await reply(`${type}; charset=${label}`, encode(text))
        expect([type, text, [451, 503].includes(status)]).toEqual([type, text, true])
      }
  })
})

describe('UTF-16', () => {
  it('that says nothing of its order is read in both', async () => {
    for (const label of ['utf-16', 'UTF-16', 'unicode', 'ucs-2'])
      for (const bytes of [le(WIDE), be(WIDE)])
        expect(codeOf(await reply(`text/plain; charset=${label}`, bytes))).toEqual(BLOCKED)
  })

  it('with a byte order mark is judged in the order of the mark, and leaves as it came', async () => {
    for (const [mark, encode] of [
      [LE_MARK, le],
      [BE_MARK, be],
    ] as const) {
      const marked = (text: string): Buffer => Buffer.concat([mark, encode(text)])
      expect(codeOf(await reply('text/plain; charset=utf-16', marked(WIDE)))).toEqual(BLOCKED)
      const fine = await reply('text/plain; charset=utf-16', marked('It is fine.'))
      expect([fine.status, fine.body.equals(marked('It is fine.'))]).toEqual([200, true])
    }
  })

  it('under a label of the other order is read by those who see no zeros, and leaves as it came', async () => {
    for (const [label, encode] of [
      ['utf-16be', le],
      ['utf-16le', be],
    ] as const) {
      expect(codeOf(await reply(`text/plain; charset=${label}`, encode('It is UNSAFE.')))).toEqual(BLOCKED)
      const fine = await reply(`text/plain; charset=${label}`, encode('It is fine.'))
      expect([fine.status, fine.body.equals(encode('It is fine.'))]).toEqual([200, true])
    }
  })

  it.each(['text/plain', 'text/event-stream', 'application/x-ndjson', 'application/json'])(
    'with a byte order mark is refused as %s without a label',
    async (type) => {
      for (const bytes of [Buffer.concat([LE_MARK, le(WIDE)]), Buffer.concat([BE_MARK, be(`data: ${WIDE}\n\n`)])])
        expect(codeOf(await reply(type, bytes))).toEqual(UNREADABLE)
    },
  )
})

it('A stream that begins with half a byte order mark is refused as soon as the other half comes.', async () => {
  const bytes = Buffer.concat([LE_MARK, le(`data: ${WIDE}\n\n`)])
  const parted = onNode([wideGuard()], (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write(bytes.subarray(0, 1))
    setTimeout(() => res.end(bytes.subarray(1)), 10)
  })
  const got = await serving(parted, ({ url }) => ask(`${url}/v1/chat/completions`, { body: chat('hi') }))
  expect(codeOf(got)).toEqual(UNREADABLE)
})
