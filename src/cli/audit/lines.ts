// The lines of audit files, as the bytes they were written in: their hashes are made of those. Files with gzip are
// unpacked on the way.
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { LlamaGuardError } from '../../types/errors.js'

/** No row is longer; a longer line is no audit. */
const MAX_LINE_BYTES = 1024 * 1024
const FEED = 0x0a

export interface Line {
  readonly number: number
  readonly bytes: Buffer
}

/** @throws LlamaGuardError `invalid_option` for a file that cannot be read or is no text of lines. */
export async function* linesOf(file: string): AsyncGenerator<Line> {
  let number = 1
  let rest: Buffer[] = []
  let waiting = 0
  try {
    for await (const chunk of open(file)) {
      let start = 0
      for (let feed = chunk.indexOf(FEED); feed >= 0; feed = chunk.indexOf(FEED, start)) {
        yield { number: number++, bytes: Buffer.concat([...rest, chunk.subarray(start, feed)]) }
        rest = []
        waiting = 0
        start = feed + 1
      }
      rest.push(chunk.subarray(start))
      waiting += chunk.length - start
      if (waiting > MAX_LINE_BYTES) throw new RangeError('a line is longer than any row of an audit')
    }
  } catch (cause) {
    throw new LlamaGuardError(
      'invalid_option',
      cause instanceof RangeError
        ? `${file}, line ${number}: ${cause.message}.`
        : `${file} cannot be read. Wanted: a file that the option audit has written, plain or with gzip.`,
      { cause },
    )
  }
  if (waiting > 0) yield { number, bytes: Buffer.concat(rest) }
}

function open(file: string): AsyncIterable<Buffer> {
  const bytes = createReadStream(file)
  return file.endsWith('.gz') ? pipeline(bytes, createGunzip(), () => undefined) : bytes
}

/**
 * The files of each audit, oldest first: `audit.jsonl.2`, `audit.jsonl.1`, `audit.jsonl`. Workers of a cluster write
 * audits of their own.
 */
export function audits(files: readonly string[]): readonly (readonly string[])[] {
  const byName = new Map<string, { file: string; age: number }[]>()
  for (const file of files) {
    const [, name = file, age = '0'] = /^(.*?)(?:\.(\d{1,9}))?(?:\.gz)?$/s.exec(file) ?? []
    byName.set(name, [...(byName.get(name) ?? []), { file, age: Number(age) }])
  }
  return [...byName.values()].map((parts) => parts.sort((a, b) => b.age - a.age).map(({ file }) => file))
}
