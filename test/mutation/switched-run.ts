// Tries many changes in one process: the sources hold all of them, and the runner switches one after the other. What it
// notices is noticed. What it does not notice is tried again, alone in a fresh process.
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { CACHE, nearnessOf, type Reached } from './coverage.js'
import { Host } from './hosts.js'
import type { Mutant } from './mutants.js'
import type { Plan } from './runner.js'

/** A change that runs longer than this, with the test it runs in, hangs. */
const STUCK_MS = 30_000
const MOST_HANGS = 20

/** The changes that a test noticed, with the name of the test. */
export async function noticedBySwitch(
  testsBy: ReadonlyMap<Mutant, readonly Reached[]>,
): Promise<ReadonlyMap<Mutant, string>> {
  const noticed = new Map<Mutant, string>()
  const skipped = new Set<number>()
  const mutants = [...testsBy.keys()]
  let left = inTurn(testsBy.values())
  const tests: Record<string, number[]> = Object.fromEntries(left.map((test) => [test, []]))
  const near: Record<string, number[]> = Object.fromEntries(left.map((test) => [test, []]))
  for (const [id, mutant] of mutants.entries())
    for (const { test } of testsBy.get(mutant)!) {
      tests[test]!.push(id)
      if (nearnessOf(mutant.file, test) < 2) near[test]!.push(id)
    }
  for (let hangs = 0; hangs <= MOST_HANGS && left.length > 0; hangs += 1) {
    const plan = resolve(`${CACHE}/plan-${process.pid}.json`)
    const log = `${plan}l`
    rmSync(log, { force: true })
    const alive = mutants.flatMap((mutant, id) => (noticed.has(mutant) || skipped.has(id) ? [] : [{ ...mutant, id }]))
    if (alive.length === 0) break
    writeFileSync(plan, JSON.stringify({ mutants: alive, tests, near, log } satisfies Plan))
    const host = new Host({ MUTATION_PLAN: plan })
    const report = await host.run({ tests: left }, 3600, () => isStuck(log))
    host.stop()
    const lines = linesOf(log)
    rmSync(plan)
    rmSync(log, { force: true })
    for (const { noticed: id, by } of lines) if (id !== undefined) noticed.set(mutants[id]!, by ?? '')
    // Without the line of an end, the process hung or broke with this change. A break may be the doing of an earlier
    // one, so it says nothing.
    const last = lines.at(-1)?.began
    if (last === undefined) break
    if (report === 'late') noticed.set(mutants[last]!, 'no test ends')
    else skipped.add(last)
    const file = lines.findLast((line) => line.file !== undefined)?.file
    left = file === undefined ? left : left.slice(left.indexOf(relative(process.cwd(), file)))
  }
  return noticed
}

/** All test files, those that stand first in a list before the rest, so that each change meets its nearest test soon. */
function inTurn(lists: Iterable<readonly Reached[]>): string[] {
  const place = new Map<string, number>()
  for (const list of lists)
    for (const [at, { test }] of list.entries()) place.set(test, Math.min(at, place.get(test) ?? Infinity))
  return [...place].sort(([, one], [, other]) => one - other).map(([test]) => test)
}

interface Line {
  readonly file?: string
  readonly began?: number
  readonly noticed?: number
  readonly by?: string
}

function linesOf(log: string): readonly Line[] {
  if (!existsSync(log)) return []
  const lines = readFileSync(log, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Line)
}

function isStuck(log: string): boolean {
  return existsSync(log) && Date.now() - statSync(log).mtimeMs > STUCK_MS && linesOf(log).at(-1)?.began !== undefined
}
