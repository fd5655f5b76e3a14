// Writes the report of `doctor`: a line for each step, and the cure below a step that failed.
import type { OutputFormat } from '../flags.js'
import { type Io, painter, table } from '../io.js'

interface Step {
  /** The option that names the guard. Empty where there is one guard alone. */
  readonly guard: string
  readonly state: 'ok' | 'warn' | 'fail'
  readonly what: string
  readonly found: string
  readonly cure?: string
}

const MARKS = { ok: ['green', 'ok  '], warn: ['yellow', 'warn'], fail: ['red', 'FAIL'] } as const

export type Report = ReturnType<typeof createReport>

/** Holds what each step found. As text it is printed at once, else at the end. */
export function createReport({ stdout, env }: Io, output: OutputFormat = 'text') {
  const paint = painter(stdout, env)
  const steps: Step[] = []
  const failed = (): readonly Step[] => steps.filter(({ state }) => state === 'fail')
  let guard = ''

  function add(step: Omit<Step, 'guard'>): void {
    steps.push({ guard, ...step })
    if (output !== 'text') return
    const { what, found, cure } = step
    const [colour, mark] = MARKS[step.state]
    const below = cure === undefined ? '' : `      ${' '.repeat(15)}${cure}\n`
    stdout.write(`${paint(colour, mark)}  ${what.padEnd(14)} ${found}\n${below}`)
  }

  return {
    failures: () => failed().length,
    /** The guards with a failed step, each by the option that names it. */
    broken: () => [...new Set(failed().map((step) => step.guard))].filter((each) => each !== ''),
    /** Begins the part on one of several guards. */
    begin(option: string, name: string): void {
      guard = `${option} (${name})`
      if (output === 'text') stdout.write(`\n${option}: ${name}\n`)
    },
    ok: (what: string, found: string) => add({ state: 'ok', what, found }),
    warn: (what: string, found: string, cure: string) => add({ state: 'warn', what, found, cure }),
    fail: (what: string, found: string, cure?: string) => add({ state: 'fail', what, found, cure }),
    end(conclusion: string): void {
      if (output === 'text') return void stdout.write(`\n${conclusion}\n`)
      const ready = failed().length === 0
      if (output === 'json') return void stdout.write(`${JSON.stringify({ ready, steps })}\n`)
      const rows = steps.map((step) => [step.what, step.state, step.guard, step.found, step.cure ?? ''])
      stdout.write(`${table(['Step', 'State', 'Guard', 'Found', 'Cure'], rows)}\n${conclusion}\n`)
    },
  }
}
