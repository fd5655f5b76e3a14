// Splits bytes into lines ended by CRLF, LF or a lone CR, however the bytes are cut, in time linear in their number.

export interface LineSink {
  /** A whole line: its text without the line end, and all its bytes. */
  line(text: string, bytes: Buffer): void
  /** An LF whose CR had already ended the line, in the chunk before. */
  lineEnd(byte: Buffer): void
}

const LF = 0x0a
const CR = 0x0d
const BOM = 0xfeff

export function splitLines(sink: LineSink): { push(chunk: Buffer): void; finish(): { text: string; bytes: Buffer } } {
  let partial: Buffer[] = []
  let endedOnCr = false
  let atStart = true

  /** Joins what came before with the rest of the line: once a line, as joining at every chunk would make long lines quadratic. */
  function complete(rest: Buffer, endLength: number): { text: string; bytes: Buffer } {
    const bytes = partial.length === 0 ? rest : Buffer.concat([...partial, rest])
    partial = []
    let text = bytes.toString('utf8', 0, bytes.length - endLength)
    if (atStart && bytes.length > 0) {
      atStart = false
      if (text.charCodeAt(0) === BOM) text = text.slice(1)
    }
    return { text, bytes }
  }

  function nextEnd(chunk: Buffer, from: number, hasCr: boolean): number {
    if (!hasCr) return chunk.indexOf(LF, from)
    for (let at = from; at < chunk.length; at++) if (chunk[at] === LF || chunk[at] === CR) return at
    return -1
  }

  return {
    push(chunk) {
      let start = 0
      if (endedOnCr && chunk[0] === LF) {
        sink.lineEnd(chunk.subarray(0, 1))
        start = 1
      }
      if (chunk.length > 0) endedOnCr = false
      const hasCr = chunk.includes(CR)
      for (let end = nextEnd(chunk, start, hasCr); end !== -1; end = nextEnd(chunk, start, hasCr)) {
        const next = chunk[end] === CR && chunk[end + 1] === LF ? end + 2 : end + 1
        endedOnCr = chunk[end] === CR && end + 1 === chunk.length
        const { text, bytes } = complete(chunk.subarray(start, next), next - end)
        sink.line(text, bytes)
        start = next
      }
      if (start < chunk.length) partial.push(chunk.subarray(start))
    },
    finish: () => complete(Buffer.alloc(0), 0),
  }
}
