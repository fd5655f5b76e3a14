// A reply that is streamed as bare text: it flows as it comes, whole characters at a time. Where it looks like
// events or JSON lines, it is read as these, too, at the end of each line.
import { ndjsonFramer } from './event-framer.js'
import { Bytes, Frame, type Framer } from './framing.js'
import type { LooseLine } from './loose-line.js'

export function textFramer(): Framer {
  const raw = new Bytes()
  const events = ndjsonFramer()
  let decoder = new TextDecoder('utf-8', { ignoreBOM: true })

  /** Lines that are events or JSON. Bare ones are text, which is read anyway. */
  const structured = (frames: readonly Frame[]): readonly LooseLine[] | undefined => {
    const lines = frames.flatMap(({ kind, event, lines: own }): readonly LooseLine[] => {
      if (own !== undefined) return own
      if (event.data === undefined || (kind === 'json' && !/^["[{]/.test(event.data) && event.part === undefined))
        return []
      return [{ kind: kind === 'json' ? 'json' : 'data', event }]
    })
    return lines.length === 0 ? undefined : lines
  }
  const frame = (text: string, frames: readonly Frame[]): Frame[] => {
    if (raw.empty) return []
    const { bytes, start, end } = raw.take({})
    return [new Frame(bytes, start, end, text === '' ? {} : { data: text, plain: true }, 'field', structured(frames))]
  }

  return {
    push(chunk) {
      if (chunk.length === 0) return []
      raw.add(chunk, 0, chunk.length)
      const text = decoder.decode(chunk, { stream: true })
      const frames = events.push(chunk)
      // A part of a character waits for the rest of it.
      return text === '' && frames.length === 0 ? [] : frame(text, frames)
    },
    finish() {
      const text = decoder.decode()
      decoder = new TextDecoder()
      const frames = events.finish()
      if (!raw.empty) return frame(text, frames)
      const lines = structured(frames)
      // The last line may have left already; what it says as an event has not been read yet.
      return text === '' && lines === undefined
        ? []
        : [new Frame(Buffer.alloc(0), 0, 0, text === '' ? {} : { data: text, plain: true }, 'field', lines)]
    },
  }
}
