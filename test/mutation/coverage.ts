// Which test files run which functions. It is read once, by running every test file with marks in the source, and
// kept in node_modules/.cache; a test file that changed is read again.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { functionAt } from './functions.js'
import { Host } from './hosts.js'
import type { Mutant } from './mutants.js'

export const CACHE = 'node_modules/.cache/mutation'
/** Tests of documents and of programs in processes of their own, in which a change cannot be switched. */
const OTHER = /^test\/(?:bench|consumers|docs|examples|mutation|train)\b|\/process\.|llama-cpp|deployment-examples/

export interface Reached {
  readonly test: string
  readonly hash: string
  readonly seconds: number
  readonly ran: readonly string[]
  readonly loaded: readonly string[]
  /** When it was read, in milliseconds. Of a source file that changed later it says nothing certain. */
  readonly at?: number
}

const hashOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16)

function testFiles(): string[] {
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((name) => `test/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith('.test.ts') && !OTHER.test(name))
    .sort()
}

/** Reads what is not known yet. A test file that fails without any change judges nothing. */
export async function readCoverage(): Promise<readonly Reached[]> {
  mkdirSync(CACHE, { recursive: true })
  const path = `${CACHE}/reached.json`
  const known = new Map(
    (existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Reached[]) : []).map((one) => [one.test, one]),
  )
  const files = testFiles()
  const missing = files.filter((file) => known.get(file)?.hash !== hashOf(file))
  const marks = `${CACHE}/marks.jsonl`
  for (const file of missing) known.delete(file)
  const host = new Host({ MUTATION_MARKS: marks })
  for (let from = 0; from < missing.length; from += 8) {
    const tests = missing.slice(from, from + 8)
    console.log(`Reading what ${tests.join(' ')} run.`)
    rmSync(marks, { force: true })
    const report = await host.run({ tests }, 900)
    const failed = report === 'late' ? tests : report.failed
    if (failed.length > 0) console.log(`fails without a change: ${failed.join(' ')}`)
    const lines = existsSync(marks) ? readFileSync(marks, 'utf8').trim().split('\n') : []
    for (const line of lines) {
      const { test, ...rest } = JSON.parse(line) as Omit<Reached, 'hash' | 'at'>
      const file = test.slice(process.cwd().length + 1)
      if (!failed.includes(file)) known.set(file, { ...rest, test: file, hash: hashOf(file), at: Date.now() })
    }
    writeFileSync(path, JSON.stringify([...known.values()]))
  }
  host.stop()
  return files.flatMap((file) => known.get(file) ?? [])
}

/** The test files that run the changed function: those of its own name first, then the fastest. */
export function testsOf(mutant: Mutant, source: string, reached: readonly Reached[], seconds: number): Reached[] {
  const index = functionAt(source, mutant.start)
  const name = `${mutant.file}#${index}`
  const ofFile = `${mutant.file}#`
  const isLoadTime = index === undefined || reached.some(({ loaded }) => loaded.includes(name))
  const nearness = ({ test }: Reached): number => nearnessOf(mutant.file, test)
  const changed = statSync(mutant.file).mtimeMs
  // What runs as the module loads may be used by functions of other files. In a file that changed, functions have
  // other numbers.
  const covering = reached.filter((one) =>
    isLoadTime || changed > (one.at ?? 0)
      ? nearness(one) < 2 || one.ran.some((other) => other.startsWith(ofFile))
      : one.ran.includes(name),
  )
  // Nothing is known yet of a file that is new: the tests of its folder are tried.
  const known = covering.length > 0 ? covering : reached.filter((one) => nearness(one) < 2)
  const sorted = [...known].sort((a, b) => nearness(a) - nearness(b) || a.seconds - b.seconds)
  let left = seconds
  return sorted.filter((one) => {
    if (nearness(one) === 0) return true
    if (one.seconds > left) return false
    left -= one.seconds
    return true
  })
}

/** 0 for the test file of a source file's own name, 1 for those of its folder, 2 for all others. */
export function nearnessOf(file: string, test: string): number {
  const path = file.replace(/^src\//, 'test/').replace(/\.ts$/, '')
  const folder = path.slice(0, path.lastIndexOf('/') + 1)
  if (test.startsWith(`${path}.test`) || test.startsWith(`${path}/index.test`)) return 0
  return folder !== 'test/' && test.startsWith(folder) ? 1 : 2
}
