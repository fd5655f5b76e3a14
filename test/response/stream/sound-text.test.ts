// Streams whose bytes are no UTF-8, or hold zeros: some clients read other words from them than the guard, so none of
// them leaves. However the bytes are cut, characters of several bytes are none of them.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SoundText } from '../../../src/response/stream/sound-text.js'
import { ask, guarded, onNode, serving } from '../../helpers/apps.js'
import { chat, chunk } from '../../helpers/http.js'

const TYPES = ['text/event-stream', 'application/x-ndjson', 'application/jsonl']
/** A stream of a word that its bytes hide from a reader of UTF-8. */
const HIDING: Readonly<Record<string, (lead: string) => Buffer>> = {
  'Latin-1': (lead) => Buffer.from(`${lead}data: größer\n\n`, 'latin1'),
  'Chinese of GBK': (lead) =>
    Buffer.concat([Buffer.from(`${lead}data: `), Buffer.from([0xd5, 0xa8, 0xb5, 0xaf, 10, 10])]),
  'UTF-16 without a mark': (lead) => Buffer.from(`${lead}data: UNSAFE\n\n`, 'utf16le'),
  'UTF-16 behind UTF-8': (lead) => Buffer.concat([Buffer.from(lead), Buffer.from('data: UNSAFE\n\n', 'utf16le')]),
  'a compressed text': () => Buffer.from('1f8b0800000000000003cbcf4bad2cc9c85128cf2fca49d10300', 'hex'),
}

describe.each(TYPES)('A stream of %s', (type) => {
  it.each(Object.entries(HIDING))('does not leave in %s', async (_name, bytes) => {
    const app = onNode([guarded()], (_req, res) => {
      res.writeHead(200, { 'content-type': type })
      res.end(bytes(chunk({ content: 'fine' })))
    })
    const { status, text } = await serving(app, ({ url }) => ask(`${url}/v1/chat/completions`, { body: chat('hi') }))
    expect([status, text.includes('unreadable_response')]).toEqual([503, true])
  })

  it.each(Object.entries(HIDING))('that has begun ends with an error before %s', async (_name, bytes) => {
    const app = onNode([guarded()], (_req, res) => {
      res.writeHead(200, { 'content-type': type })
      res.write(chunk({ content: 'It is all fine so far, and goes on.' }))
      setTimeout(() => res.end(bytes('')), 30)
    })
    const { status, text, body } = await serving(app, ({ url }) =>
      ask(`${url}/v1/chat/completions`, { body: chat('hi') }),
    )
    expect([status, text.includes('goes on'), text.includes('unreadable_response')]).toEqual([200, true, true])
    expect(body.includes(bytes('').subarray(0, 12))).toBe(false)
  })
})

describe('The text of a stream', () => {
  const read = (bytes: Buffer, cuts: readonly number[]): void => {
    const text = new SoundText()
    const at = [0, ...[...cuts].sort((a, b) => a - b).map((cut) => cut % (bytes.length + 1)), bytes.length].sort(
      (a, b) => a - b,
    )
    at.slice(1).forEach((end, index) => text.check(bytes.subarray(at[index], end)))
  }

  it('is sound wherever its characters are cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat(60)), (text, cuts) => {
        const bytes = Buffer.from(text.replaceAll('\0', ''))
        expect(() => read(bytes, cuts)).not.toThrow()
      }),
      { seed: 5 },
    )
  })

  it('is not sound with a byte that is no character, wherever it stands and is cut', () => {
    const bad = fc
      .constantFrom('ff', 'c328', 'e28228', 'f0288cbc', 'eda080', 'c0af', '80', '00')
      .map((hex) => Buffer.from(hex, 'hex'))
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), bad, fc.array(fc.nat(60)), (text, bytes, cuts) => {
        const all = Buffer.concat([Buffer.from(text), bytes, Buffer.from('...')])
        expect(() => read(all, cuts)).toThrow('cannot be judged')
      }),
      { seed: 5 },
    )
  })
})
