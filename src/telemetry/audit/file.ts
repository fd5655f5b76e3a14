// Audit rows as JSON Lines: appended in batches, rotated by size, and linked when asked for: each row then holds its
// number and the SHA-256 of the row before, across restarts and rotated files. A request never waits for the disk: past
// the bound rows are dropped, counted and told.
import { accessSync, constants, existsSync } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import { hash } from 'node:crypto'
import { invalidOption } from '../../types/errors.js'
import type { AuditStats, Logger, RequestEvent } from '../../types.js'

export interface AuditFileOptions {
  /**
   * The file; its folder must exist. Full files become `path.1`, `path.2` and so on. A cluster worker writes to a
   * file of its own, with the worker's number before the extension.
   */
  readonly path: string
  /** Size in bytes at which a new file begins. Default: 64 MiB. */
  readonly maxBytes?: number
  /** Full files that are kept beside the current one; older ones are overwritten. Default: 10. */
  readonly keep?: number
  /** Adds an HMAC-SHA256 of what was judged to each row. Never logged. Default: none. */
  readonly secret?: string
  /**
   * Adds `seq` and `prev`, the SHA-256 of the row before: a row that was changed, removed or dropped leaves a gap that
   * shows. Default: false.
   */
  readonly chain?: boolean
  /** Bytes that may wait for the disk. Past it rows are dropped. Default: 8 MiB. */
  readonly maxWaitingBytes?: number
}

const MAX_BYTES = 64 * 1024 * 1024
const KEEP = 10
const MAX_WAITING_BYTES = 8 * 1024 * 1024
/** How often a failing disk is told of, and tried again. */
const PAUSE_MS = 5_000
const CLOSE_MS = 2_000

export interface Audit {
  readonly secret: string | undefined
  /** Never throws, never waits. */
  write(event: RequestEvent): void
  stats(): AuditStats
  /** Writes what is waiting. */
  close(): Promise<void>
}

/** Throws `invalid_option` when the folder is not there or may not be written. */
export function openAuditFile(options: AuditFileOptions, logger: Logger): Audit {
  requireWritable(options.path)
  return new AuditFile(options, logger)
}

class AuditFile implements Audit {
  readonly secret: string | undefined
  readonly #path: string
  readonly #maxBytes: number
  readonly #keep: number
  readonly #maxWaiting: number
  readonly #logger: Logger
  readonly #chain: HashChain | undefined
  #waiting: Row[] = []
  #waitingBytes = 0
  #handle: FileHandle | undefined
  #size = 0
  #count = 0
  #draining: Promise<void> | undefined
  #notBefore = 0
  #toldAt = -Infinity
  #closed = false
  #written = 0
  #dropped = 0

  constructor({ path, maxBytes, keep, secret, chain, maxWaitingBytes }: AuditFileOptions, logger: Logger) {
    this.#path = workerPath(path)
    this.#maxBytes = maxBytes ?? MAX_BYTES
    this.#keep = keep ?? KEEP
    this.#maxWaiting = maxWaitingBytes ?? MAX_WAITING_BYTES
    this.#logger = logger
    this.#chain = chain === true ? new HashChain(this.#path) : undefined
    this.secret = secret
  }

  write(event: RequestEvent): void {
    const json = JSON.stringify(event)
    this.#count++
    // A lower bound of its bytes is enough: the bound is about memory.
    if (this.#waitingBytes + json.length > this.#maxWaiting || performance.now() < this.#notBefore) return this.#drop(1)
    this.#waiting.push({ json, count: this.#count })
    this.#waitingBytes += json.length
    this.#draining ??= this.#drain()
  }

  stats(): { written: number; dropped: number } {
    return { written: this.#written, dropped: this.#dropped }
  }

  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)))
    this.#closed = true
    await Promise.race([this.#draining, late])
    clearTimeout(timer)
    if (this.#draining === undefined) await this.#release()
  }

  async #release(): Promise<void> {
    await this.#handle?.close().catch(() => undefined)
    this.#handle = undefined
  }

  async #drain(): Promise<void> {
    // One turn of the event loop later, so that the rows of a busy moment leave together.
    await new Promise(setImmediate)
    do {
      while (this.#waiting.length > 0) await this.#writeWaiting()
      // Requests that end while the middleware closes still have their rows.
      if (this.#closed) await this.#release()
    } while (this.#waiting.length > 0)
    this.#draining = undefined
  }

  async #writeWaiting(): Promise<void> {
    const rows = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    try {
      await this.#append(rows)
      this.#written += rows.length
    } catch (error) {
      await this.#failed(rows.length, error)
    }
  }

  async #append(rows: readonly Row[]): Promise<void> {
    if (this.#handle === undefined) {
      this.#handle = await open(this.#path, 'a+', 0o640)
      this.#size = (await this.#handle.stat()).size
      // A row that a crash cut short must not swallow the next one.
      if (this.#size > 0 && !(await this.#endsLine(this.#handle))) await this.#handle.appendFile('\n')
    }
    // Links are made with what is really written: a dropped row is a gap in `seq`, and no broken link.
    const lines = this.#chain === undefined ? rows.map(({ json }) => json) : await this.#chain.link(rows)
    const bytes = Buffer.from(`${lines.join('\n')}\n`)
    if (this.#size > 0 && this.#size + bytes.length > this.#maxBytes) await this.#rotate()
    await this.#handle.appendFile(bytes)
    this.#size += bytes.length
    this.#chain?.written()
  }

  async #endsLine(handle: FileHandle): Promise<boolean> {
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, this.#size - 1)
    return buffer[0] === 0x0a
  }

  async #rotate(): Promise<void> {
    await this.#handle?.close()
    this.#handle = undefined
    for (let number = this.#keep - 1; number >= 1; number--)
      if (existsSync(`${this.#path}.${number}`)) await rename(`${this.#path}.${number}`, `${this.#path}.${number + 1}`)
    if (this.#keep > 0) await rename(this.#path, `${this.#path}.1`)
    this.#handle = await open(this.#path, this.#keep > 0 ? 'a' : 'w', 0o640)
    this.#size = 0
  }

  async #failed(rows: number, error: unknown): Promise<void> {
    this.#notBefore = performance.now() + PAUSE_MS
    await this.#release()
    this.#drop(rows, (error as NodeJS.ErrnoException).code)
  }

  #drop(rows: number, code?: string): void {
    this.#dropped += rows
    if (performance.now() - this.#toldAt < PAUSE_MS) return
    this.#toldAt = performance.now()
    this.#logger.error({ dropped: this.#dropped, code }, 'audit rows are lost: the disk is too slow or failed')
  }
}

function requireWritable(path: string): void {
  const folder = dirname(path)
  try {
    accessSync(folder, constants.W_OK)
    if (existsSync(path)) accessSync(path, constants.W_OK)
  } catch (cause) {
    throw invalidOption(
      `The option audit names ${JSON.stringify(path)}, which cannot be written. Make its folder, or let this process ` +
        'write there.',
      { cause },
    )
  }
}

/** Processes that share a file would rotate it under each other. */
function workerPath(path: string): string {
  const worker = process.env['NODE_UNIQUE_ID']
  if (worker === undefined) return path
  const { dir, name, ext } = parse(path)
  return join(dir, `${name}.${worker}${ext}`)
}

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
      prev = hash('sha256', line)
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
    this.#prev = last === undefined ? FIRST : hash('sha256', last)
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
