// A build of this tree in a temporary folder, and the examples started from it as programs of their own.
// (The checkout's own dist may be missing or old, and no test may change it.)
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'

export const ROOT = resolve(import.meta.dirname, '../..')
export const SLOW = 60_000
let folder = ''

/** Where the build and the examples are. */
export const tree = (): string => folder

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'express-llama-guard-')))
  for (const name of ['package.json', 'examples']) cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  execFileSync(
    process.execPath,
    [
      'node_modules/typescript/bin/tsc',
      '-p',
      'tsconfig.json',
      '--outDir',
      join(folder, 'dist/esm'),
      '--noCheck',
      '--declaration',
      'false',
    ],
    { cwd: ROOT },
  )
}, SLOW)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const running = new Set<ChildProcess>()
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
  const child = spawn(process.execPath, [join(folder, 'examples', script)], { env: bare(extra), cwd: folder })
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
