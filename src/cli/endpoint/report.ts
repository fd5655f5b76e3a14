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

/** Holds what each step found. As text it is printed at once, else at the end. */
export class Report {
  readonly #io: Io
  readonly #paint: ReturnType<typeof painter>
  readonly #output: OutputFormat
  readonly #steps: Step[] = []
  #guard = ''

  constructor(io: Io, output: OutputFormat = 'text') {
    this.#io = io
    this.#output = output
    this.#paint = painter(io.stdout, io.env)
  }

  get failures(): number {
    return this.#failed.length
  }

  get #failed(): readonly Step[] {
    return this.#steps.filter(({ state }) => state === 'fail')
  }

  /** The guards with a failed step, each by the option that names it. */
  get broken(): readonly string[] {
    return [...new Set(this.#failed.map(({ guard }) => guard))].filter((guard) => guard !== '')
  }

  /** Begins the part on one of several guards. */
  begin(option: string, name: string): void {
    this.#guard = `${option} (${name})`
    if (this.#output === 'text') this.#io.stdout.write(`\n${option}: ${name}\n`)
  }

  ok(what: string, found: string): void {
    this.#add({ state: 'ok', what, found })
  }

  warn(what: string, found: string, cure: string): void {
    this.#add({ state: 'warn', what, found, cure })
  }

  fail(what: string, found: string, cure?: string): void {
    this.#add({ state: 'fail', what, found, cure })
  }

  end(conclusion: string): void {
    const { stdout } = this.#io
    if (this.#output === 'text') return void stdout.write(`\n${conclusion}\n`)
    const ready = this.failures === 0
    if (this.#output === 'json') return void stdout.write(`${JSON.stringify({ ready, steps: this.#steps })}\n`)
    const rows = this.#steps.map(({ guard, state, what, found, cure = '' }) => [what, state, guard, found, cure])
    stdout.write(`${table(['Step', 'State', 'Guard', 'Found', 'Cure'], rows)}\n${conclusion}\n`)
  }

  #add(step: Omit<Step, 'guard'>): void {
    this.#steps.push({ guard: this.#guard, ...step })
    if (this.#output !== 'text') return
    const { what, found, cure } = step
    const [colour, mark] = MARKS[step.state]
    const below = cure === undefined ? '' : `      ${' '.repeat(15)}${cure}\n`
    this.#io.stdout.write(`${this.#paint(colour, mark)}  ${what.padEnd(14)} ${found}\n${below}`)
  }
}
