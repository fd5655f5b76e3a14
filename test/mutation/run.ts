// Changes the source, one place at a time, and tells which changes no test notices.
//
// npm run mutate -- --files 'src/request/*' --most 60 --seed 7
//
// --most    how many changes of each folder of src/ are tried; the same seed draws the same ones
// --seconds how long the tests of one change may take without it; the nearest and fastest run first
// --alone   tries every change in a process of its own, which takes long; else only those that no test notices there
import { readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { random, shuffled } from '../helpers/random.js'
import { type Reached, readCoverage, testsOf } from './coverage.js'
import { Host } from './hosts.js'
import { type Mutant, mutantsOf } from './mutants.js'
import { noticedBySwitch } from './switched-run.js'

const LEAK_RELEVANT =
  'src/request/* src/dialects/* src/response/* src/guard/* src/policy.ts src/exchange.ts src/llama-guard.ts ' +
  'src/moderations/*'
/**
 * Left out: tables of tokens, words and weights, of which only `npm run train` knows what one entry is worth, and the
 * backend whose tests load a model into the process.
 */
const LEFT_OUT = /table\.ts$|backends\/(?:local|llama-cpp)\//

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: LEAK_RELEVANT },
    most: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    alone: { type: 'boolean', default: false },
  },
})

/** `*` stands for anything, folders too. */
function matching(globs: string): string[] {
  const patterns = globs.split(/[\s,]+/).map((glob) => {
    const escaped = glob.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*')
    return new RegExp(`^${escaped}$`)
  })
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .map((name) => `src/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith('.ts') && !LEFT_OUT.test(name) && patterns.some((pattern) => pattern.test(name)))
    .sort()
}

/** In the order of the text, so that what is drawn together is read together. */
function sample(mutants: readonly Mutant[], most: number, chance: () => number): Mutant[] {
  const drawn = shuffled(mutants, chance).slice(0, most)
  return drawn.sort((one, other) => mutants.indexOf(one) - mutants.indexOf(other))
}

const folderOf = (file: string): string => file.split('/').slice(0, 2).join('/')

async function main(): Promise<void> {
  const files = matching(values.files)
  const byFolder = new Map<string, Mutant[]>()
  for (const file of files) {
    const mutants = mutantsOf(file, readFileSync(file, 'utf8'))
    byFolder.set(folderOf(file), [...(byFolder.get(folderOf(file)) ?? []), ...mutants])
  }
  const reached = await readCoverage()
  const testsBy = new Map<Mutant, readonly Reached[]>()
  for (const mutants of byFolder.values())
    for (const mutant of sample(mutants, Number(values.most), random(Number(values.seed))))
      testsBy.set(mutant, testsOf(mutant, readFileSync(mutant.file, 'utf8'), reached, Number(values.seconds)))
  const switched = values.alone ? new Map<Mutant, string>() : await noticedBySwitch(testsBy)
  console.log(`${switched.size} of ${testsBy.size} were noticed in one process. The rest is tried alone.`)
  const host = new Host()
  const rows: Record<string, { noticed: number; of: number; survivors: number; 'all changes': number }> = {}
  for (const [folder, mutants] of byFolder)
    rows[folder] = { noticed: 0, of: 0, survivors: 0, 'all changes': mutants.length }
  for (const [mutant, tests] of testsBy) {
    const verdict = switched.has(mutant) ? 'noticed ' : await judge(host, mutant, tests)
    const survived = verdict === 'SURVIVED' || verdict === 'NOT RUN '
    const row = rows[folderOf(mutant.file)]!
    row.of += 1
    row[survived ? 'survivors' : 'noticed'] += 1
    const before = readFileSync(mutant.file, 'utf8').slice(mutant.start, mutant.end).replaceAll(/\s+/g, ' ')
    console.log(`${verdict} ${mutant.file}:${mutant.line} ${mutant.what}: ${before.slice(0, 100)}`)
  }
  host.stop()
  console.log(`seed ${values.seed}, ${values.most} a folder`)
  console.table(rows)
}

/** A change that makes a test hang is noticed. */
async function judge(host: Host, mutant: Mutant, tests: readonly Reached[]): Promise<string> {
  if (tests.length === 0) return 'NOT RUN '
  const { file, start, end, text } = mutant
  const unchanged = tests.reduce((sum, { seconds }) => sum + seconds, 0)
  const order = { tests: tests.map(({ test }) => test), change: { file, start, end, text } }
  const report = await host.run(order, 60 + unchanged * 6)
  if (report === 'late') return 'too long'
  return report.failed.length > 0 ? 'noticed ' : 'SURVIVED'
}

void main()
