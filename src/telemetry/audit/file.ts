// Audit rows as JSON Lines: appended in batches, rotated by size, and linked when asked for: each row then holds its
// number and the SHA-256 of the row before, across restarts and rotated files. A request never waits for the disk: past
// the bound rows are dropped, counted and told.
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { dirname, join, parse, resolve } from 'node:path'
import { hash } from 'node:crypto'
import { invalidOption } from '../../types/errors.js'
import type { AuditStats, Logger, RequestEvent } from '../../types.js'
import { within } from '../../utils/deadline.js'

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

type Settings = Omit<AuditFileOptions, 'path' | 'secret'>

/** The files of this process by their paths. Two writers would rotate a file under each other and part its chain. */
const files = new Map<string, { readonly settings: string; readonly file: AuditFile; users: number }>()

/**
 * Guards that name the same file write to it together.
 * @throws LlamaGuardError `invalid_option` when the folder is not there or may not be written, or when another guard
 * writes to the file in another way.
 */
export function openAuditFile({ path: given, secret, ...rest }: AuditFileOptions, logger: Logger): Audit {
  requireWritable(given)
  const path = workerPath(resolve(given))
  const { maxBytes = MAX_BYTES, keep = KEEP, chain = false, maxWaitingBytes = MAX_WAITING_BYTES } = rest
  const settings = JSON.stringify({ maxBytes, keep, chain, maxWaitingBytes })
  const known = files.get(path) ?? {
    settings,
    file: auditFile(path, { maxBytes, keep, chain, maxWaitingBytes }, logger),
    users: 0,
  }
  if (known.settings !== settings)
    throw invalidOption(
      `The option audit names ${JSON.stringify(given)} with ${settings}, and another guard of this process writes to it ` +
        `with ${known.settings}. Give both the same, or each a file of its own.`,
    )
  files.set(path, known)
  known.users++
  const counts: Counts = { written: 0, dropped: 0 }
  let closed = false
  return {
    secret,
    write: (event) => known.file.write(JSON.stringify(event), counts),
    stats: () => ({ ...counts }),
    close() {
      if (!closed) known.users--
      closed = true
      if (known.users === 0 && files.get(path) === known) files.delete(path)
      return known.file.close(known.users === 0)
    },
  }
}

/** What became of the rows of one guard. */
type Counts = { -readonly [K in keyof AuditStats]: AuditStats[K] }
type AuditFile = ReturnType<typeof auditFile>

function auditFile(path: string, settings: Required<Settings>, logger: Logger) {
  const { maxBytes, keep, maxWaitingBytes } = settings
  const chain = settings.chain ? hashChain(path) : undefined
  let waiting: Row[] = []
  let waitingBytes = 0
  let handle: FileHandle | undefined
  let size = 0
  let count = 0
  let draining: Promise<void> | undefined
  let notBefore = 0
  let toldAt = -Infinity
  let closed = false
  let lost = 0

  async function release(): Promise<void> {
    await handle?.close().catch(() => undefined)
    handle = undefined
  }

  async function drain(): Promise<void> {
    // One turn of the event loop later, so that the rows of a busy moment leave together.
    await new Promise(setImmediate)
    do {
      while (waiting.length > 0) await writeWaiting()
      // Requests that end while the middleware closes still have their rows.
      if (closed) await release()
    } while (waiting.length > 0)
    draining = undefined
  }

  async function writeWaiting(): Promise<void> {
    const rows = waiting
    waiting = []
    waitingBytes = 0
    try {
      await append(rows)
      for (const { counts } of rows) counts.written++
    } catch (error) {
      notBefore = performance.now() + PAUSE_MS
      await release()
      drop(rows, (error as NodeJS.ErrnoException).code)
    }
  }

  async function append(rows: readonly Row[]): Promise<void> {
    if (handle === undefined) {
      handle = await open(path, 'a+', 0o640)
      size = (await handle.stat()).size
      // A row that a crash cut short must not swallow the next one.
      if (size > 0 && !(await endsLine(handle, size))) await handle.appendFile('\n')
    }
    // Links are made with what is really written: a dropped row is a gap in `seq`, and no broken link.
    const lines = chain === undefined ? rows.map(({ json }) => json) : await chain.link(rows)
    const bytes = Buffer.from(`${lines.join('\n')}\n`)
    if (size > 0 && size + bytes.length > maxBytes) handle = await rotate(handle)
    await handle.appendFile(bytes)
    size += bytes.length
    chain?.written()
  }

  async function rotate(full: FileHandle): Promise<FileHandle> {
    await full.close()
    handle = undefined
    for (let number = keep - 1; number >= 1; number--)
      if (existsSync(`${path}.${number}`)) await rename(`${path}.${number}`, `${path}.${number + 1}`)
    if (keep > 0) await rename(path, `${path}.1`)
    const next = await open(path, keep > 0 ? 'a' : 'w', 0o640)
    size = 0
    return next
  }

  function drop(rows: readonly Pick<Row, 'counts'>[], code?: string): void {
    for (const { counts } of rows) counts.dropped++
    lost += rows.length
    if (performance.now() - toldAt < PAUSE_MS) return
    toldAt = performance.now()
    logger.error({ dropped: lost, code }, 'audit rows are lost: the disk is too slow or failed')
  }

  return {
    write(json: string, counts: Counts): void {
      count++
      // A lower bound of its bytes is enough: the bound is about memory.
      if (waitingBytes + json.length > maxWaitingBytes || performance.now() < notBefore) return drop([{ counts }])
      waiting.push({ json, count, counts })
      waitingBytes += json.length
      draining ??= drain()
    },
    /** Writes what is waiting. `last`: nobody writes to it any longer, but for requests that are ending. */
    async close(last: boolean): Promise<void> {
      closed = last
      await within({ ms: CLOSE_MS }, () => draining).catch(() => undefined)
      if (closed && draining === undefined) await release()
    },
  }
}

async function endsLine(handle: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] === 0x0a
}

function requireWritable(path: string): void {
  const folder = dirname(path)
  try {
    accessSync(folder, constants.W_OK)
    const found = statSync(path, { throwIfNoEntry: false })
    if (found !== undefined) accessSync(path, constants.W_OK)
    if (found?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
  } catch (cause) {
    throw invalidOption(
      `The option audit names ${JSON.stringify(path)}, which cannot be written (${(cause as NodeJS.ErrnoException).code}). ` +
        'Name a file, make its folder, or let this process write there.',
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

interface Row {
  readonly json: string
  /** How many rows were to be written since the start, this one included. */
  readonly count: number
  /** Those of its guard. */
  readonly counts: Counts
}

/**
 * The last row of a file is looked for in so many bytes at its end; no row is longer. It holds the fields of `context`
 * three times, and those may be headers of a client.
 */
const TAIL_BYTES = 1024 * 1024
const FIRST = '0'.repeat(64)

function hashChain(path: string) {
  /** Hash of the last row that was written, and of the last one that was linked. */
  let prev: string | undefined
  let next: string | undefined
  /** Number of the last row before the start. */
  let base = 0

  /** Goes on where the file ends. A row that a crash cut short is linked to as it stands. */
  async function goOn(): Promise<string> {
    const rows = (await lastRows(path)) ?? (await lastRows(`${path}.1`)) ?? []
    const last = rows.at(-1)
    base = rows.reduce((seq, row) => seqOf(row) ?? seq, 0)
    return last === undefined ? FIRST : hash('sha256', last)
  }

  return {
    /** The rows as they are to be written. `written` tells that they were. */
    async link(rows: readonly Row[]): Promise<readonly string[]> {
      let link = (prev ??= await goOn())
      const linked = rows.map(({ json, count }) => {
        const line = `${json.slice(0, -1)},"seq":${base + count},"prev":"${link}"}`
        link = hash('sha256', line)
        return line
      })
      next = link
      return linked
    },
    written(): void {
      prev = next
    },
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
