// The lines of files and of standard input, as the bytes they were written in: hashes of an audit are made of those.
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { invalidOption, LlamaGuardError } from '../types/errors.js'
import { codeOf } from './io.js'

export interface Line {
  readonly number: number
  readonly bytes: Buffer
}

/** Longer than any model reads, or any row of an audit. An input without line ends must not fill the memory. */
const MAX_LINE_BYTES = 16 * 2 ** 20
const FEED = 0x0a

/** @throws LlamaGuardError `invalid_option` for what is no text of lines. */
export async function* linesOf(source: AsyncIterable<string | Uint8Array>): AsyncGenerator<Line> {
  let number = 1
  let rest: Buffer[] = []
  let waiting = 0
  for await (const piece of source) {
    const chunk = Buffer.from(piece)
    let start = 0
    for (let feed = chunk.indexOf(FEED); feed >= 0; feed = chunk.indexOf(FEED, start)) {
      yield { number: number++, bytes: Buffer.concat([...rest, chunk.subarray(start, feed)]) }
      rest = []
      waiting = 0
      start = feed + 1
    }
    rest.push(chunk.subarray(start))
    waiting += chunk.length - start
    if (waiting > MAX_LINE_BYTES) throw invalidOption(`Line ${number} is longer than ${MAX_LINE_BYTES} bytes.`)
  }
  if (waiting > 0) yield { number, bytes: Buffer.concat(rest) }
}

/** The lines of a file, plain or with gzip. */
export async function* linesIn(file: string): AsyncGenerator<Line> {
  const bytes = createReadStream(file)
  try {
    yield* linesOf(file.endsWith('.gz') ? pipeline(bytes, createGunzip(), () => undefined) : bytes)
  } catch (cause) {
    const why = cause instanceof LlamaGuardError ? `: ${cause.message}` : ` cannot be read (${codeOf(cause)}).`
    throw invalidOption(`${file}${why} Wanted: lines of JSON, plain or with gzip.`, { cause })
  }
}
