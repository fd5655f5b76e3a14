// The command line as it is installed: built JavaScript under plain node, in a process of its own, with real signals.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build as bundle, type Plugin } from 'esbuild'

const ROOT = resolve(import.meta.dirname, '../..')

export interface Built {
  readonly bin: string
  remove(): void
}

/** `?raw` is the text of a file, as in Vite and in .ci/rollup.config.js. */
const raw: Plugin = {
  name: 'raw',
  setup(builder) {
    builder.onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.slice(0, -'?raw'.length)),
      namespace: 'raw',
    }))
    builder.onLoad({ filter: /./, namespace: 'raw' }, ({ path }) => ({
      contents: readFileSync(path, 'utf8'),
      loader: 'text',
    }))
  },
}

/** Builds into a temporary folder: the checkout's own dist may be missing or old, and no test may change it. */
export async function build(): Promise<Built> {
  const tree = realpathSync(mkdtempSync(join(tmpdir(), 'express-llama-guard-cli-')))
  cpSync(join(ROOT, 'package.json'), join(tree, 'package.json'))
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'))
  await bundle({
    entryPoints: [join(ROOT, 'src/cli/bin.ts')],
    outdir: join(tree, 'dist/esm/cli'),
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    plugins: [raw],
  })
  return { bin: join(tree, 'dist/esm/cli/bin.js'), remove: () => rmSync(tree, { recursive: true, force: true }) }
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
export async function listening({ err, ended }: Started, times = 1): Promise<string> {
  let over: number | string | undefined
  void ended.then((code) => (over = code))
  const end = Date.now() + 30_000
  for (;;) {
    const urls = [...err().matchAll(/Listening on (http:\/\/\S+?)\. /g)]
    if (urls.length >= times) return urls[0]?.[1] ?? ''
    if (over !== undefined || Date.now() > end) throw new Error(`serve did not start (${over ?? 'no end'}): ${err()}`)
    await new Promise((wake) => setTimeout(wake, 20))
  }
}
