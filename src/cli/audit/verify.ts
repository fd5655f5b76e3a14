// Checks that no row of an audit was changed, removed or dropped: each row holds its number and the hash of the row
// before it, across rotated files.
import { createHash } from 'node:crypto'
import type { OutputFormat } from '../flags.js'
import { EXIT, type ExitCode, type Io, table } from '../io.js'
import { linesIn } from '../lines.js'

const LINK = /,"seq":(\d{1,15}),"prev":"([0-9a-f]{64})"\}$/
const FIRST = '0'.repeat(64)
/** A row ends with its link, which has a known length. */
const LINK_BYTES = 120

/** A place at which the chain does not hold. */
interface Gap {
  readonly file: string
  readonly line: number
  readonly problem: string
}

interface Chain {
  rows: number
  first: number
  last: number
  /** Hash of the last line, whatever it is. */
  hash: string
  /** Where a line stands that a crash has cut short; the next row has to name its hash. */
  cut: { readonly file: string; readonly line: number } | undefined
}

/** `unsafe` when an audit has a gap, which is then named. Each audit is told in one line. */
export async function verify(files: readonly string[], io: Io, output: OutputFormat = 'text'): Promise<ExitCode> {
  const found: { readonly audit: string; readonly rows: number; readonly gap?: Gap; readonly told: string }[] = []
  for (const parts of audits(files)) {
    const chain: Chain = { rows: 0, first: 0, last: 0, hash: FIRST, cut: undefined }
    const gap = await walk(parts, chain)
    const audit = parts.at(-1) ?? ''
    const told = gap === undefined ? `${audit}: ${toldOf(chain)}` : `${gap.file}, line ${gap.line}: ${gap.problem}`
    found.push({ audit, rows: chain.rows, ...(gap && { gap }), told })
    if (output === 'text') io.stdout.write(`${told}\n`)
  }
  if (output === 'json') io.stdout.write(`${JSON.stringify(found.map(({ told: _, ...rest }) => rest))}\n`)
  if (output === 'markdown')
    io.stdout.write(
      table(
        ['Audit', 'Rows', 'Whole', 'Found'],
        found.map(({ audit, rows, gap, told }) => [audit, String(rows), gap ? 'no' : 'yes', told]),
      ),
    )
  return found.some(({ gap }) => gap !== undefined) ? EXIT.unsafe : EXIT.ok
}

/** The first gap. */
async function walk(files: readonly string[], chain: Chain): Promise<Gap | undefined> {
  for (const file of files)
    for await (const { number: line, bytes } of linesIn(file)) {
      const problem = follow(chain, bytes, { file, line })
      if (problem !== undefined) return { file, line, problem }
    }
  if (chain.rows > 0) return undefined
  return { file: files.at(-1)!, line: 1, problem: 'there is no row with a link. Was it written with `chain: true`?' }
}

function follow(chain: Chain, bytes: Buffer, place: NonNullable<Chain['cut']>): string | undefined {
  const link = LINK.exec(bytes.subarray(-LINK_BYTES).toString('latin1'))
  if (link === null) {
    if (chain.cut !== undefined) return 'the line before this one, and this one, have no link.'
    if (chain.rows === 0 && chain.hash !== FIRST) return 'the row has no link. Was it written with `chain: true`?'
    chain.cut = place
  } else {
    const [seq, prev] = [Number(link[1]), link[2]]
    const begins = chain.rows === 0 && chain.cut === undefined
    if (begins && seq === 1 && prev !== FIRST) return 'the first row names a row before it. It was changed.'
    if (!begins && prev !== chain.hash)
      return 'the hash of the row before does not fit. That row was changed, or rows between the two were removed.'
    if (chain.rows > 0 && seq !== chain.last + 1)
      return `${seq - chain.last - 1} rows before this one were dropped: the disk was too slow or failed.`
    if (chain.rows++ === 0) chain.first = seq
    chain.last = seq
    chain.cut = undefined
  }
  chain.hash = createHash('sha256').update(bytes).digest('hex')
  return undefined
}

function toldOf({ rows, first, last, cut }: Chain): string {
  const older = first === 1 ? '' : ' Rows before are in none of these files.'
  const torn = cut === undefined ? '' : ` ${cut.file}, line ${cut.line} is cut short, by a crash or by hand.`
  return `${rows} rows, ${first} to ${last}, without a gap.${older}${torn}`
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
