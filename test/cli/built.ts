// The command line as it is installed: built JavaScript under plain node, in a process of its own, with real signals.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { install } from '../helpers/installed.js'

export interface Built {
  readonly bin: string
  remove(): void
}

export function build(): Built {
  const { folder, remove } = install()
  return { bin: join(folder, 'dist/esm/cli/bin.js'), remove }
}

export interface Started {
  readonly child: ChildProcess
  readonly err: () => string
  readonly out: () => string
  /** Resolves with the exit code, or with the signal that ended it. */
  readonly ended: Promise<number | string>
}

/** Runs it on a machine where nothing is set up but what `env` says. */
export function start({ bin }: Built, args: readonly string[], env: Record<string, string> = {}): Started {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(LLAMA_GUARD_|AWS_|NODE_OPTIONS$)/.test(name)),
  )
  const child = spawn(process.execPath, [bin, ...args], {
    env: { ...clean, LLAMA_GUARD_LOG_LEVEL: 'silent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { out: '', err: '' }
  child.stdout.on('data', (data: Buffer) => (texts.out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (texts.err += data.toString()))
  const ended = new Promise<number | string>((done) =>
    child.once('close', (code, signal) => done(code ?? signal ?? 'unknown')),
  )
  return { child, out: () => texts.out, err: () => texts.err, ended }
}

/** The address `serve` says it listens on. */
export async function listening({ err, ended }: Started): Promise<string> {
  let over: number | string | undefined
  void ended.then((code) => (over = code))
  const end = Date.now() + 50_000
  for (;;) {
    const [, url] = /Listening on (http:\/\/\S+?)\. /.exec(err()) ?? []
    if (url !== undefined) return url
    if (over !== undefined || Date.now() > end) throw new Error(`serve did not start (${over ?? 'no end'}): ${err()}`)
    await new Promise((wake) => setTimeout(wake, 20))
  }
}
