// The examples beside the installed package, started as programs of their own.
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { install, type Installed } from '../helpers/installed.js'

export { ROOT } from '../helpers/installed.js'
export const SLOW = 60_000
let installed: Installed

/** Where the build and the examples are. */
export const tree = (): string => installed.folder

beforeAll(() => void (installed = install({ also: ['examples'] })))
afterAll(() => installed.remove())

/** What the test at hand has started. What was started before it, for several tests, is theirs to stop. */
const running = new Set<ChildProcess>()
beforeEach(() => running.clear())
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
})

export interface Example {
  readonly child: ChildProcess
  readonly url: string
  readonly printed: string
}

/** The environment of a machine where nothing is set up yet. */
export function bare(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const clean = Object.entries(process.env).filter(([name]) => !/^(LLAMA_GUARD_|AWS_|PORT$|HOST$)/.test(name))
  return { ...Object.fromEntries(clean), PORT: '0', WORD_MS: '1', LLAMA_GUARD_LOG_LEVEL: 'silent', ...extra }
}

export async function start(script: string, extra: Record<string, string> = {}): Promise<Example> {
  const child = spawn(process.execPath, [join(tree(), 'examples', script)], { env: bare(extra), cwd: tree() })
  running.add(child)
  let printed = ''
  let complaints = ''
  child.stderr.on('data', (data: Buffer) => (complaints += data.toString()))
  const url = await new Promise<string>((ready, fail) => {
    child.stdout.on('data', (data: Buffer) => {
      printed += data.toString()
      const found = /http:\/\/localhost:\d+/.exec(printed)
      // The banner ends with an empty line.
      if (found && printed.endsWith('\n\n')) ready(found[0])
    })
    child.once('exit', (code) => fail(new Error(`${script} ended with ${code}: ${complaints}`)))
  })
  return { child, url, printed }
}
