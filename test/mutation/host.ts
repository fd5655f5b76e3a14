// One vitest that stays: it runs test files over a changed source, which lives in its memory alone, so that nothing
// is left behind. A child process of run.ts, which ends it when a change makes a test hang.
import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { createVitest } from 'vitest/node'
import type { TestSpecification, Vitest } from 'vitest/node'
import { marked, switched } from './functions.js'
import type { Plan } from './runner.js'

export interface Order {
  readonly tests: readonly string[]
  readonly change?: { readonly file: string; readonly start: number; readonly end: number; readonly text: string }
}

/** The test files that failed, of those that ran until the first failure. */
export interface Report {
  readonly failed: readonly string[]
}

const root = process.cwd()
const marks = process.env.MUTATION_MARKS
const plan = process.env.MUTATION_PLAN
/** With a plan, the runner switches all of its changes. */
const planned = plan === undefined ? [] : (JSON.parse(readFileSync(plan, 'utf8')) as Plan).mutants
let change: Order['change']

class AsGiven {
  sort(files: TestSpecification[]): TestSpecification[] {
    return files
  }
  shard(files: TestSpecification[]): TestSpecification[] {
    return files
  }
}

async function start(): Promise<void> {
  const vitest = await createVitest(
    'test',
    {
      config: 'test/vitest.config.ts',
      root,
      watch: false,
      reporters: [{}],
      pool: 'forks',
      // All files of a run share one process. The next run starts another.
      poolOptions: { forks: { singleFork: true, isolate: false } },
      sequence: { sequencer: AsGiven as never },
      testTimeout: 15_000,
      ...(marks !== undefined && { setupFiles: ['test/helpers/each-file.ts', 'test/mutation/marks-setup.ts'] }),
      ...(plan === undefined && marks === undefined && { bail: 1 }),
      runner: 'test/mutation/runner.ts',
    },
    { plugins: [{ name: 'changed-source', enforce: 'pre', transform }] },
  )
  await vitest.init()
  process.on('message', (order: Order) => {
    run(vitest, order).then(
      (report) => process.send!(report),
      (error: unknown) => process.send!({ failed: [String(error)] }),
    )
  })
  process.send!('ready')
}

function transform(code: string, id: string): string | undefined {
  const file = relative(root, id)
  if (file === change?.file) return code.slice(0, change.start) + change.text + code.slice(change.end)
  const mutants = planned.filter((mutant) => mutant.file === file)
  if (mutants.length > 0) return switched(code, mutants)
  return marks !== undefined && file.startsWith('src/') ? marked(file, code) : undefined
}

async function run(vitest: Vitest, order: Order): Promise<Report> {
  const changed = order.change && resolve(order.change.file)
  change = order.change
  if (changed !== undefined) vitest.invalidateFile(changed)
  try {
    const specs = order.tests.map((test) => vitest.getRootProject().createSpecification(resolve(test)))
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specs)
    // The list has the files of earlier runs too.
    const failed = testModules
      .filter((one) => !one.ok())
      .map((one) => relative(root, one.moduleId))
      .filter((file) => order.tests.includes(file))
    return { failed: unhandledErrors.length > 0 ? [...failed, 'unhandled error'] : failed }
  } finally {
    change = undefined
    if (changed !== undefined) vitest.invalidateFile(changed)
  }
}

void start()
