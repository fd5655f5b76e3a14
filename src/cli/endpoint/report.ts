// The report of `doctor`: one line for each step, with the cure under what is broken.
import { painter } from '../io.js'
import type { Io } from '../io.js'

/** Where the report goes, line by line. */
export class Report {
  readonly #io: Io
  readonly #paint: ReturnType<typeof painter>
  failed = false

  constructor(io: Io) {
    this.#io = io
    this.#paint = painter(io.stdout, io.env)
  }

  ok(what: string, found: string): void {
    this.#line('green', 'ok  ', what, found)
  }

  warn(what: string, found: string, cure: string): void {
    this.#line('yellow', 'warn', what, found, cure)
  }

  fail(what: string, found: string, cure?: string): void {
    this.failed = true
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
