// Runs the test files of the changes. With a plan, it runs every test once as it stands, and again with each change
// that the test reached. A change is noticed when the test fails with it and then passes without it. A change that
// many tests of another folder's file let pass is tried with few of the rest.
import { appendFileSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { getFn, getHooks } from 'vitest/suite'
import { VitestTestRunner } from 'vitest/runners'
import type { Suite, Test } from '@vitest/runner'
import { type Numbered, type Switch, SWITCH } from './functions.js'

export interface Plan {
  readonly mutants: readonly Numbered[]
  /** The changes that each test file may notice. */
  readonly tests: Readonly<Record<string, readonly number[]>>
  /** Those that it was written for: all of its tests try them. */
  readonly near?: Readonly<Record<string, readonly number[]>>
  /** Gets a line for each test file and each change that begins to run, and for each that was noticed. */
  readonly log: string
}

const TIMEOUT_MS = 8000
/** For all changes that one test tries. */
const MOST_MS = 1500
const path = process.env.MUTATION_PLAN
const plan = path === undefined ? { mutants: [], tests: {}, log: '' } : (JSON.parse(readFileSync(path, 'utf8')) as Plan)
const alive = new Set(plan.mutants.map(({ id }) => id))
/** Tries in this test file, and in all. */
const tries = new Map<number, number>()
const tried = new Map<number, number>()
let reached = new Set<number>()
const state: Switch = { on: -1, reach: (ids) => ids.forEach((id) => reached.add(id)) }
Object.assign(globalThis, { [SWITCH]: state })

const tell = (line: object): void => appendFileSync(plan.log, `${JSON.stringify(line)}\n`)

type Hook = (context: unknown, suite: Suite) => unknown

export default class Runner extends VitestTestRunner {
  override onCollectStart(...args: Parameters<VitestTestRunner['onCollectStart']>): void {
    tries.clear()
    if (plan.log !== '') tell({ file: args[0].filepath })
    super.onCollectStart(...args)
  }

  override onAfterRunFiles(): void {
    if (plan.log !== '') tell({ ended: true })
    super.onAfterRunFiles()
  }

  async runTask(test: Test): Promise<void> {
    if (path === undefined) return getFn(test)()
    const file = relative(process.cwd(), test.file.filepath)
    const wanted = (plan.tests[file] ?? []).filter((id) => alive.has(id))
    const near = new Set(plan.near?.[file])
    if (wanted.length === 0) return
    reached = new Set()
    await getFn(test)()
    // The least tried ones first, because a slow test has time for few.
    const ids = wanted.filter((id) => reached.has(id)).sort((a, b) => (tried.get(a) ?? 0) - (tried.get(b) ?? 0))
    const started = performance.now()
    for (const id of ids) {
      if (performance.now() - started > MOST_MS) return
      if (!near.has(id) && !isWorthATry(id)) continue
      tried.set(id, (tried.get(id) ?? 0) + 1)
      tell({ began: id })
      state.on = id
      const failed = !(await passes(test))
      state.on = -1
      if (!failed) continue
      // Some tests do not pass twice, and a change may have broken what later tests share.
      if (!(await passes(test))) return
      alive.delete(id)
      tell({ noticed: id, by: test.name })
    }
  }
}

function isWorthATry(id: number): boolean {
  const count = (tries.get(id) ?? 0) + 1
  tries.set(id, count)
  return count <= 8 || (count <= 64 ? count % 8 === 0 : count % 64 === 0)
}

async function passes(test: Test): Promise<boolean> {
  const suites: Suite[] = []
  for (let suite: Suite | undefined = test.suite ?? test.file; suite !== undefined; suite = suite.suite)
    suites.unshift(suite)
  if (!suites.includes(test.file)) suites.unshift(test.file)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('late')), TIMEOUT_MS)
  })
  const run = async (): Promise<void> => {
    const cleanups: unknown[] = []
    for (const suite of suites)
      for (const hook of getHooks(suite).beforeEach as unknown as Hook[]) cleanups.push(await hook(test.context, suite))
    try {
      await getFn(test)()
    } finally {
      for (const suite of [...suites].reverse())
        for (const hook of getHooks(suite).afterEach as unknown as Hook[]) await hook(test.context, suite)
      for (const cleanup of cleanups) if (typeof cleanup === 'function') await (cleanup as () => unknown)()
    }
  }
  try {
    await Promise.race([run(), late])
    return true
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
}
