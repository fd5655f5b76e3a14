// Replies whose label says one charset and whose bytes another. Some clients believe the label and some read UTF-8.
// What any of them reads is judged, or the reply is refused.
import { describe, expect, it } from 'vitest'
import { chunk } from '../../helpers/http.js'
import { codeOf, labelled, LABELS, UNREADABLE } from './labelled.js'

const reply = labelled()
const even = (text: string): string => (Buffer.byteLength(text) % 2 ? `${text} ` : text)
/** Zeros that are UTF-16 too, together with the letters beside them. */
const ZEROS = ['\u0000', 'x\u0000', '\u0000x'].map((zero) => zero.repeat(500))

/** A tone, with zeros here and there, in which UTF-16 finds characters alone. */
function sound(): Buffer {
  const samples = Int16Array.from({ length: 400 }, (_, at) => Math.round(Math.sin(at / 7) * 8000) | 1)
  samples.fill(1, 0, 9)
  return Buffer.from(samples.buffer)
}

describe.each(LABELS)('Under charset=%s', (label) => {
  it.each(['text/plain', 'application/json', 'text/html'])(
    'sound is refused as %s and not taken for text',
    async (type) => {
      expect(codeOf(await reply(`${type}; charset=${label}`, sound()))).toEqual(UNREADABLE)
    },
  )

  it('JSON that names a key twice is refused, and the same JSON with the key once is not', async () => {
    const type = `application/json; charset=${label}`
    expect(codeOf(await reply(type, even('{"message":"fine","message":"good"}')))).toEqual(UNREADABLE)
    expect((await reply(type, even('{"message":"fine"}'))).status).toBe(200)
  })

  it.each(['text/plain', 'application/json', 'text/event-stream'])(
    'words that %s spreads over events are joined, whatever zeros stand beside them',
    async (type) => {
      const events = `${chunk({ content: 'UN' })}${chunk({ content: 'SAFE' })}`
      for (const zeros of ZEROS)
        for (const padded of [`:${zeros}\n\n${events}`, `${events}:${zeros}\n\n`, `: ${zeros}\n\n${events}`])
          expect([451, 503]).toContain((await reply(`${type}; charset=${label}`, even(padded))).status)
    },
  )

  it('words that an array spreads over its elements do not pass beside zeros', async () => {
    const part = (text: string): string => JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })
    for (const zeros of ZEROS)
      for (const padded of [`[${part('UN')},${part('SAFE')},${zeros}`, `[${part('UN')},${part('SAFE')}, ${zeros}`])
        expect([451, 503]).toContain((await reply(`application/json; charset=${label}`, even(padded))).status)
  })
})
