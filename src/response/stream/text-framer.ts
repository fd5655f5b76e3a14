// Splits a reply that is streamed as bare text. Text is passed on as it comes, in whole characters. Text that looks
// like events or JSON lines is also read as these, at the end of each line.
import { ndjsonFramer } from './event-framer.js'
import { Bytes, Frame, type Framer } from './framing.js'
import { bare, type LooseLine } from './loose-line.js'

const BEGINNING_CHARS = 8

export function textFramer(): Framer {
  const raw = new Bytes()
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const events = ndjsonFramer()
  const line = new LineBeginning()
  /** Text since the last frame, as bare text and as events. */
  let text = ''
  let read: Frame[] = []

  const take = (): Frame[] => {
    const event = text === '' ? {} : { data: text, plain: true }
    const lines = structured(read)
    text = ''
    read = []
    if (!raw.empty) {
      const { bytes, start, end } = raw.take({})
      return [new Frame(bytes, start, end, event, 'field', lines)]
    }
    // The bytes of the last line have left already, but the line has not been read as an event yet.
    return lines === undefined ? [] : [new Frame(Buffer.alloc(0), 0, 0, event, 'field', lines)]
  }

  return {
    push(chunk) {
      if (chunk.length > 0) raw.add(chunk, 0, chunk.length)
      const more = decoder.decode(chunk, { stream: true })
      line.follow(more)
      text += more
      read.push(...events.push(chunk))
      // A part of a character waits for the rest, and so does a part of a possible event.
      return text === '' || line.mayBeEvent ? [] : take()
    },
    finish() {
      text += decoder.decode()
      read.push(...events.finish())
      return take()
    },
  }
}

/** The lines that are events or JSON. Bare lines are left out, because they are read as text anyway. */
function structured(frames: readonly Frame[]): readonly LooseLine[] | undefined {
  const found = frames.flatMap(({ kind, event, lines }): readonly LooseLine[] => {
    if (lines !== undefined) return lines
    const { data, part } = event
    if (data === undefined || (kind === 'json' && part === undefined && !/^["[{]/.test(data))) return []
    return [{ kind: kind === 'json' ? 'json' : 'data', event }]
  })
  return found.length === 0 ? undefined : found
}

/** The beginning of a line that has not ended. */
class LineBeginning {
  #text = ''

  follow(more: string): void {
    const end = Math.max(more.lastIndexOf('\n'), more.lastIndexOf('\r'))
    if (end !== -1) this.#text = ''
    if (this.#text.length >= BEGINNING_CHARS) return
    const rest = more.slice(end + 1)
    this.#text = (this.#text === '' ? bare(rest) : this.#text + rest).slice(0, BEGINNING_CHARS)
  }

  /** True while the line may still become JSON, an event, or a line of a data stream. */
  get mayBeEvent(): boolean {
    const start = this.#text.slice(0, 5).toLowerCase()
    return start !== '' && (/^[{[]/.test(start) || 'data:'.startsWith(start) || /^[0-9a-z](?::|$)/.test(start))
  }
}
