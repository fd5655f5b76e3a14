// Links audit rows: each holds its number and the SHA-256 of the row before, across restarts and rotated files.
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'

export interface Row {
  readonly json: string
  /** How many rows were to be written since the start, this one included. */
  readonly count: number
}

/** The last row of a file is looked for in so many bytes at its end; no row is longer. */
const TAIL_BYTES = 64 * 1024
const FIRST = '0'.repeat(64)

export class HashChain {
  readonly #path: string
  /** Hash of the last row that was written, and of the last one of {@link link}. */
  #prev: string | undefined
  #next: string | undefined
  /** Number of the last row before the start. */
  #base = 0

  constructor(path: string) {
    this.#path = path
  }

  /** The rows as they are to be written, in a file that {@link written} tells of. */
  async link(rows: readonly Row[]): Promise<readonly string[]> {
    if (this.#prev === undefined) await this.#goOn()
    let prev = this.#prev ?? FIRST
    const linked = rows.map(({ json, count }) => {
      const line = `${json.slice(0, -1)},"seq":${this.#base + count},"prev":"${prev}"}`
      prev = sha256(line)
      return line
    })
    this.#next = prev
    return linked
  }

  written(): void {
    this.#prev = this.#next
  }

  /** Goes on where the file ends. A row that a crash cut short is linked to as it stands. */
  async #goOn(): Promise<void> {
    const rows = (await lastRows(this.#path)) ?? (await lastRows(`${this.#path}.1`)) ?? []
    const last = rows.at(-1)
    this.#prev = last === undefined ? FIRST : sha256(last)
    this.#base = rows.reduce((seq, row) => seqOf(row) ?? seq, 0)
  }
}

function seqOf(row: string): number | undefined {
  const seq = /,"seq":(\d{1,15}),"prev":"[0-9a-f]{64}"\}$/.exec(row)?.[1]
  return seq === undefined ? undefined : Number(seq)
}

/** The rows at the end of a file; undefined when there are none. */
async function lastRows(path: string): Promise<readonly string[] | undefined> {
  const handle = await open(path, 'r').catch(() => undefined)
  if (handle === undefined) return undefined
  try {
    const { size } = await handle.stat()
    const length = Math.min(size, TAIL_BYTES)
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length)
    const rows = buffer.toString('utf8').split('\n').filter(Boolean)
    return rows.length > 0 ? rows : undefined
  } finally {
    await handle.close()
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
