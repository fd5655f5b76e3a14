// Changes the source, one place at a time, and tells which changes no test notices. In a copy of the project, so
// that a run that is broken off leaves nothing behind.
//
// npm run mutate -- --files 'src/request/*' --most 40 --seed 7
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Mutant, mutantsOf } from './mutants.js'
import { testsOf } from './tests-of.js'

const LEAK_RELEVANT =
  'src/request/* src/dialects/* src/response/* src/guard/* src/policy.ts src/exchange.ts src/llama-guard.ts'
const TIMEOUT_MS = 300_000

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: LEAK_RELEVANT },
    most: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
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
    .filter((name) => name.endsWith('.ts') && patterns.some((pattern) => pattern.test(name)))
    .sort()
}

/** The same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function sample(mutants: readonly Mutant[], most: number, random: () => number): Mutant[] {
  const drawn = [...mutants]
  for (let at = drawn.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1))
    ;[drawn[at], drawn[other]] = [drawn[other]!, drawn[at]!]
  }
  return drawn.slice(0, most)
}

function copyOfProject(): string {
  const copy = mkdtempSync(join(tmpdir(), 'mutation-'))
  for (const each of readdirSync('.'))
    if (!['node_modules', 'dist', '.git', 'shared'].includes(each)) cpSync(each, join(copy, each), { recursive: true })
  symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'))
  return copy
}

/** True when all of them pass. A run that takes too long fails: a change that makes a test hang is noticed. */
function pass(copy: string, filters: readonly string[]): boolean {
  const run = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--dir', 'test', '--maxWorkers=1', '--bail=1', ...filters],
    { cwd: copy, timeout: TIMEOUT_MS, killSignal: 'SIGKILL', stdio: 'ignore' },
  )
  return run.status === 0
}

const folderOf = (file: string): string => file.split('/').slice(0, 2).join('/')

function main(): void {
  const files = matching(values.files)
  const mutants = files.flatMap((file) => mutantsOf(file, readFileSync(file, 'utf8')))
  const drawn = sample(mutants, Number(values.most), randomOf(Number(values.seed)))
  console.log(`${mutants.length} changes in ${files.length} files; ${drawn.length} drawn with seed ${values.seed}.`)
  const copy = copyOfProject()
  const tally = new Map<string, { drawn: number; noticed: number }>()
  const unchanged = new Map<string, boolean>()
  try {
    for (const { file, line, what, start, end, text } of drawn) {
      const source = readFileSync(file, 'utf8')
      // A stage that fails without the change says nothing about it.
      const says = (stage: readonly string[]): boolean => {
        const name = stage.join(' ')
        if (!unchanged.has(name)) unchanged.set(name, pass(copy, stage))
        return unchanged.get(name) === true
      }
      const noticed = testsOf(file).some((stage) => {
        if (!says(stage)) return false
        writeFileSync(join(copy, file), source.slice(0, start) + text + source.slice(end))
        const failed = !pass(copy, stage)
        writeFileSync(join(copy, file), source)
        return failed
      })
      const count = tally.get(folderOf(file)) ?? { drawn: 0, noticed: 0 }
      tally.set(folderOf(file), { drawn: count.drawn + 1, noticed: count.noticed + Number(noticed) })
      const before = source.slice(start, end).replaceAll(/\s+/g, ' ').slice(0, 100)
      console.log(`${noticed ? 'noticed ' : 'SURVIVED'} ${file}:${line} ${what}: ${before}`)
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
  for (const [tests, passes] of unchanged) if (!passes) console.log(`fails without a change: ${tests}`)
  for (const [folder, { drawn: all, noticed }] of [...tally].sort())
    console.log(`${folder}: ${noticed} of ${all} noticed (${Math.round((noticed / all) * 100)} %)`)
}

main()
