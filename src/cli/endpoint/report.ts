// Writes the report of `doctor`: a line for each step, and the cure below a step that failed.
import { isLlamaGuardError } from '../../errors.js'
import { painter } from '../io.js'
import type { Io } from '../io.js'
import { explain } from './explain.js'
import { ProbeFailure } from './probe.js'

/** Prints the lines and counts the failures. */
export class Report {
  readonly #io: Io
  readonly #paint: ReturnType<typeof painter>
  /** The guard that is examined, by the option that names it; empty when there is one guard alone. */
  #guard = ''
  readonly #broken = new Set<string>()
  /** The number of steps that failed. */
  failures = 0

  constructor(io: Io) {
    this.#io = io
    this.#paint = painter(io.stdout, io.env)
  }

  get failed(): boolean {
    return this.failures > 0
  }

  /** The guards with a failed step, each by the option that names it. */
  get broken(): readonly string[] {
    return [...this.#broken]
  }

  /** Begins the part on one of several guards. */
  begin(option: string, name: string): void {
    this.#guard = `${option} (${name})`
    this.#io.stdout.write(`\n${option}: ${name}\n`)
  }

  ok(what: string, found: string): void {
    this.#line('green', 'ok  ', what, found)
  }

  warn(what: string, found: string, cure: string): void {
    this.#line('yellow', 'warn', what, found, cure)
  }

  fail(what: string, found: string, cure?: string): void {
    this.failures += 1
    if (this.#guard !== '') this.#broken.add(this.#guard)
    this.#line('red', 'FAIL', what, found, cure)
  }

  #line(colour: 'green' | 'yellow' | 'red', mark: string, what: string, found: string, cure?: string): void {
    this.#io.stdout.write(
      `${this.#paint(colour, mark)}  ${what.padEnd(14)} ` +
        `${found}\n${cure === undefined ? '' : `      ${' '.repeat(15)}${cure}\n`}`,
    )
  }
}

/** What was found, and the cure where there is one. */
export function twoLines(text: string): [string, string | undefined] {
  const [first = '', second] = text.split('\n')
  return [first, second?.trim()]
}

/** Tells why an example could not be asked or its answer not be read. */
export function failExample(error: unknown, region: string, report: Report): void {
  if (error instanceof ProbeFailure) {
    const [said, cure] = twoLines(explain(error.raw, region))
    report.fail('example', `${error.guardError.code}: ${said}`, cure ?? error.guardError.message)
  } else if (isLlamaGuardError(error)) report.fail('example', `${error.code}: ${error.message}`)
  else report.fail('example', 'guard_error: The endpoint answered with something that is not JSON.')
}
