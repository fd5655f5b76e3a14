// Reads a file as UTF-8 text. Gzip is unpacked. Any other file that is no UTF-8 is refused with the line, or with the
// name of its format, because a text with replaced bytes would be another text than the corpus has.
import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { LlamaGuardError } from '../../types/errors.js'

/** An error on a line of the input. The message says what is wrong and what to do, and quotes no text. */
export class BrokenInput extends Error {
  readonly line: number | undefined

  constructor(line: number | undefined, problem: string) {
    super(problem)
    this.line = line
  }
}

/** Makes the error of an input: the place, what is wrong, what to do. It quotes no text of a corpus. */
export function inputError(file: string, line: number | undefined, problem: string): LlamaGuardError {
  return new LlamaGuardError('invalid_option', `${file}${line === undefined ? '' : `, line ${line}`}${problem}`)
}

/** The longest string that Node can hold. A corpus of half a gigabyte has to be judged in parts. */
const MAX_BYTES = 2 ** 29 - 1024

const GZIP = [0x1f, 0x8b]
/** The first bytes of formats that people mistake for text. */
const PACKED: readonly (readonly [string, readonly number[]])[] = [
  ['a zip archive or an Excel workbook', [0x50, 0x4b, 0x03, 0x04]],
  ['a Parquet file', [0x50, 0x41, 0x52, 0x31]],
  ['packed with zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['packed with bzip2', [0x42, 0x5a, 0x68]],
  ['packed with xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
]
const WANTED = 'Wanted: JSONL, a JSON array, or CSV, as UTF-8 text, plain or with gzip.'

/** The text without a byte order mark. Throws `invalid_option` with file, line and cure. */
export async function readTextFile(file: string): Promise<string> {
  const raw = await readFile(file).catch((cause: unknown) => {
    throw new LlamaGuardError('invalid_option', `${file} cannot be read. Wanted: a JSONL, JSON or CSV file.`, { cause })
  })
  const bytes = startsWith(raw, GZIP) ? unpack(raw, file) : raw
  const packed = PACKED.find(([, head]) => startsWith(bytes, head))
  if (packed !== undefined) throw inputError(file, undefined, ` is ${packed[0]}. ${WANTED}`)
  if (startsWith(bytes, [0xff, 0xfe]) || startsWith(bytes, [0xfe, 0xff]))
    throw inputError(file, undefined, ` is UTF-16 text. Save it as UTF-8 ("CSV UTF-8" in Excel).`)
  if (bytes.length > MAX_BYTES)
    throw inputError(file, undefined, ' is too large for one file. Split it and name the parts.')
  if (!isUtf8(bytes))
    throw inputError(file, firstBadLine(bytes), ': a byte that is no UTF-8. Save the file as UTF-8, or mend the line.')
  return bytes.toString('utf8').replace(/^\uFEFF/, '')
}

function unpack(bytes: Buffer, file: string): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES })
  } catch (error) {
    const large = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    throw inputError(
      file,
      undefined,
      large
        ? ' is too large when unpacked. Split it and name the parts.'
        : ' is gzip that breaks off or is damaged. Pack it or download it again.',
    )
  }
}

function startsWith(bytes: Uint8Array, head: readonly number[]): boolean {
  return head.every((byte, at) => bytes[at] === byte)
}

/** No byte of a multi-byte character is a line feed, so every line of UTF-8 is UTF-8. */
function firstBadLine(bytes: Buffer): number {
  let line = 1
  for (let start = 0; start < bytes.length; line++) {
    const feed = bytes.indexOf(10, start)
    const end = feed < 0 ? bytes.length : feed + 1
    if (!isUtf8(bytes.subarray(start, end))) break
    start = end
  }
  return line
}
