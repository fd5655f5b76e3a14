// Content-types whose charset clients read in different ways: its first or its last, in forms that few know.
import { describe, expect, it } from 'vitest'
import { BLOCKED, codeOf, labelled, le, UNREADABLE, WIDE } from './labelled.js'

const reply = labelled()

describe('A label that clients read in different ways', () => {
  it.each<[string, string | readonly string[]]>([
    ['a charset twice, UTF-8 first', 'text/plain; charset=utf-8; charset=utf-16le'],
    ['a charset twice, UTF-8 last', 'text/plain; charset=utf-16le; charset=utf-8'],
    ['a parameter that ends like it', 'text/plain; x-charset=utf-8; charset=utf-16le'],
    ['white space before its sign', `text/plain; charset${' '.repeat(20)}=utf-16le`],
    ['quotes around its name', 'text/plain; "charset"=utf-16le'],
    ['single quotes', "text/plain; charset='utf-16le'"],
    ['its extended form', "text/plain; charset*=us-ascii''utf-16le"],
    ['its form in pieces', 'text/plain; charset*0=utf-; charset*1=16le'],
    ['two lines, UTF-8 first', ['text/plain; charset=utf-8', 'text/plain; charset=utf-16le']],
    ['two lines, UTF-8 last', ['text/plain; charset=utf-16le', 'text/plain; charset=utf-8']],
    ['events', 'text/event-stream; charset=utf-8; charset=utf-16le'],
    ['lines', 'application/x-ndjson; x-charset=utf-8; charset=utf-16le'],
  ])('lets no words pass: %s', async (_form, type) => {
    expect([451, 503]).toContain((await reply(type, le(WIDE))).status)
  })

  it.each([
    'text/plain; charset',
    'text/plain; charset=',
    'text/plain; charset=""',
    'text/plain; charset = "UTF-8" ; format=flowed',
  ])('is UTF-8 as %s', async (type) => {
    expect((await reply(type, 'größer')).text).toBe('größer')
  })

  it.each(['utf-7', 'utf-32', 'hz-gb-2312', 'iso-2022-kr', 'cp037', 'utf-8-sig', 'none'])(
    'is refused when it names a charset that is not read here: %s',
    async (label) => {
      expect(codeOf(await reply(`text/plain; charset=${label}`, 'fine'))).toEqual(UNREADABLE)
    },
  )

  it('has its escapes undone: iso-2022-jp hides nothing between the letters of a word', async () => {
    expect(codeOf(await reply('text/plain; charset=iso-2022-jp', 'UN\u001b(BSAFE'))).toEqual(BLOCKED)
  })

  it.each<[string, readonly number[]]>([
    ['utf-16le', [0x61, 0x00, 0x62]],
    ['utf-16be', [0xdc, 0x00, 0x61, 0x62]],
    ['shift_jis', [0x61, 0xfd]],
    ['utf-16le; charset=utf-8', [0x61, 0xff]],
  ])('is refused when the bytes are no text in it: %s', async (label, bytes) => {
    expect(codeOf(await reply(`text/plain; charset=${label}`, Buffer.from(bytes)))).toEqual(UNREADABLE)
  })
})
