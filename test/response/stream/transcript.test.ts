// However long a stream runs, a check stays small, nothing new goes unread, and what was read is forgotten.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { reveal } from '../../../src/guard/reveal/index.js'
import { OVERLAP_BYTES, SPAN_BYTES, Transcript } from '../../../src/response/stream/held.js'
import { ENCODINGS } from '../../guard/reveal/encodings.js'

describe('a transcript', () => {
  it('shows every new character to a check, with what came just before it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('content', 'reasoning'), fc.integer({ min: 1, max: 3000 }), fc.boolean()), {
          maxLength: 40,
        }),
        (steps) => {
          const transcript = new Transcript()
          const whole: Record<string, string> = { content: '', reasoning: '' }
          const seen: Record<string, number> = { content: 0, reasoning: 0 }
          let next = 0
          for (const [channel, length, check] of steps) {
            const text = Array.from({ length }, () => `${next++ % 10}`).join('')
            transcript.add(channel, text)
            whole[channel] = `${whole[channel]!}${text}`
            if (!check) continue
            const snapshot = transcript.snapshot()
            for (const name of ['content', 'reasoning'])
              expect(snapshot.text).toContain(whole[name]!.slice(Math.max(0, seen[name]! - OVERLAP_BYTES)))
            transcript.accept(snapshot)
            for (const name of ['content', 'reasoning']) seen[name] = whole[name]!.length
            expect(transcript.judged).toBe(transcript.length)
          }
        },
      ),
    )
  })

  it('asks no more of the thousandth check than of the tenth, in megabytes of text', () => {
    const transcript = new Transcript()
    let longest = 0
    for (let count = 0; count < 20_000; count++) {
      transcript.add('content', 'x'.repeat(400))
      const snapshot = transcript.snapshot()
      longest = Math.max(longest, snapshot.text.length)
      transcript.accept(snapshot)
    }
    expect(transcript.length).toBe(8_000_000)
    expect(longest).toBeLessThanOrEqual(SPAN_BYTES)
  })

  it('counts a span in bytes, because text outside ASCII takes more tokens, and repeats as many bytes', () => {
    const transcript = new Transcript()
    let longest = 0
    let before = ''
    for (let count = 0; count < 300; count++) {
      transcript.add('content', String.fromCharCode(0x4e00 + count).repeat(100))
      const { text } = transcript.snapshot()
      longest = Math.max(longest, Buffer.byteLength(text))
      // A jump leaves the overlap in front of the new text.
      if (!text.startsWith(before)) expect(Buffer.byteLength(text)).toBeGreaterThanOrEqual(OVERLAP_BYTES + 300)
      before = text
      transcript.accept(transcript.snapshot())
    }
    expect(longest).toBeLessThanOrEqual(SPAN_BYTES)
  })

  it.each(['one after the other', 'side by side'])('stays small with many channels %s', (order) => {
    const transcript = new Transcript()
    for (let count = 0; count < 1200; count++) {
      const channel = order === 'side by side' ? count % 300 : Math.floor(count / 4)
      transcript.add(`part ${channel}`, 'x'.repeat(100))
      const snapshot = transcript.snapshot()
      expect(snapshot.text).toMatch(/x{100}(?:\n|$)/)
      expect(snapshot.text.length).toBeLessThanOrEqual(SPAN_BYTES + OVERLAP_BYTES + 700)
      transcript.accept(snapshot)
    }
  })

  it('keeps the words before in some channels that take turns', () => {
    const transcript = new Transcript()
    for (let count = 0; count < 300; count++) {
      transcript.add(`tool ${count % 3}`, `${'so it goes on '.repeat(8)}how to `)
      transcript.accept(transcript.snapshot())
      transcript.add(`tool ${count % 3}`, 'do it ')
      const snapshot = transcript.snapshot()
      expect(snapshot.text).toContain('so it goes on how to do it')
      transcript.accept(snapshot)
    }
  })

  it('begins a span with a sentence where one begins shortly before', () => {
    const transcript = new Transcript()
    for (let count = 0; count < 100; count++) {
      transcript.add('content', `Sentence ${count} is here, and it is said once. `)
      transcript.add('content', 'Then comes another one. '.repeat(6))
      const snapshot = transcript.snapshot()
      expect(snapshot.text).toMatch(/^(Sentence|Then)/)
      transcript.accept(snapshot)
    }
  })

  it.each(['base64', 'base64url', 'hex', 'base32', 'base64 twice', 'binary in one piece', 'base64 of Morse'])(
    'begins a span in the middle of %s where it can still be read',
    (name) => {
      const transcript = new Transcript()
      const hide = ENCODINGS[name]!
      const text = `Here it is: "${hide(Array.from({ length: 600 }, (_, at) => `wait an hour and go to house ${at}`).join(' '))}`
      for (let at = 0; at < text.length; at += 701) {
        transcript.add('content', text.slice(at, at + 701))
        const snapshot = transcript.snapshot()
        if (at > 0) expect(reveal(snapshot.text)).toMatch(/wait an hour and go to house/i)
        transcript.accept(snapshot)
      }
    },
  )

  it('begins with the text of the check before, until the span jumps', () => {
    const transcript = new Transcript()
    let [before, jumps, checks] = ['', 0, 0]
    for (; checks < 200; checks++) {
      transcript.add('content', 'and so on '.repeat(20))
      const snapshot = transcript.snapshot()
      if (!snapshot.text.startsWith(before)) jumps += 1
      before = snapshot.text
      transcript.accept(snapshot)
    }
    expect(jumps).toBeLessThanOrEqual(Math.ceil((200 * 200) / (SPAN_BYTES - OVERLAP_BYTES - 450)))
  })

  it('never starts a span between the halves of a character', () => {
    const transcript = new Transcript()
    for (let count = 0; count < 30; count++) {
      transcript.add('content', `${count % 2 === 0 ? 'x' : ''}${'🙂'.repeat(499)}`)
      const snapshot = transcript.snapshot()
      expect(snapshot.text).not.toMatch(/^[\udc00-\udfff]/)
      transcript.accept(snapshot)
    }
  })

  it('forgets nothing that has not been judged, however often a span moves on before the verdict', () => {
    const transcript = new Transcript()
    transcript.add('content', 'a'.repeat(OVERLAP_BYTES + 96 * 80))
    transcript.accept(transcript.snapshot())
    transcript.add('content', 'b'.repeat(9000))
    transcript.snapshot()
    transcript.add('content', 'c')
    expect(transcript.snapshot().text).toBe(`${'a'.repeat(OVERLAP_BYTES)}${'b'.repeat(9000)}c`)
  })

  it('keeps few of many parts that have been judged, and reads one that goes on', () => {
    const transcript = new Transcript()
    for (let count = 0; count < 20_000; count++) {
      transcript.add(`part ${count}`, `word${count}`)
      if (count % 100 === 99) transcript.accept(transcript.snapshot())
    }
    expect(transcript.snapshot().lengths.size).toBeLessThan(3000)
    transcript.add('part 0', 'again')
    expect(transcript.snapshot().text).toContain('again')
    expect(transcript.judged).toBe(transcript.length - 'again'.length)
  })
})
