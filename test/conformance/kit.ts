// What every suite needs: a checkout of its project, programs that run, and a server with or without the guard before it.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import httpProxy from 'http-proxy'
import { llamaGuard } from '../../src/llama-guard.js'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import type { Guard } from '../../src/types.js'
import { raw } from '../helpers/build.js'
import { serve, type Running } from '../helpers/http.js'

/** Kept between runs. No part of the path begins with a dot: Express serves no such files, and tests that it does. */
export const CACHE = join(tmpdir(), 'express-llama-guard-conformance')

/** Whether each test passed, by its title. */
export type Outcomes = ReadonlyMap<string, boolean>

export interface Suite {
  readonly name: string
  /** How the guard is mounted. */
  readonly mount: string
  /** Why a test may differ, by a pattern of its title. */
  readonly reasons?: readonly (readonly [RegExp, string])[]
  /** Runs all tests, with the guard or without. */
  run(guarded: boolean): Promise<Outcomes>
}

/**
 * The folder of a repository at a tag or commit. It comes from GitHub, or from the folder of that name in
 * CONFORMANCE_SOURCES for a machine without GitHub.
 */
export async function checkout(repository: string, revision: string): Promise<string> {
  const name = repository.split('/')[1]!
  const folder = join(CACHE, `${name}-${revision.slice(0, 8)}`)
  if (existsSync(join(folder, 'package.json'))) return folder
  mkdirSync(folder, { recursive: true })
  const local = process.env['CONFORMANCE_SOURCES']
  const source = local === undefined ? `https://github.com/${repository}.git` : `file://${resolve(local, name)}`
  await run(folder, `git init -q && git fetch -q --depth 1 ${source} ${revision} && git checkout -q FETCH_HEAD`)
  return folder
}

/** Installs packages once: those named, or all of the folder's package.json. */
export async function installed(folder: string, ...packages: readonly string[]): Promise<void> {
  if (existsSync(join(folder, 'node_modules'))) return
  mkdirSync(folder, { recursive: true })
  // Without a package.json of its own, npm would install into the checkout around it.
  if (!existsSync(join(folder, 'package.json'))) writeFileSync(join(folder, 'package.json'), '{}')
  const named = packages.length === 0 ? '' : `--no-package-lock ${packages.join(' ')}`
  if (packages.length > 0) await run(folder, 'npm pkg delete devDependencies')
  await run(folder, `npm install --ignore-scripts --no-audit --no-fund --silent ${named}`)
}

/** What a command prints. A status other than 0 is an error, unless its output is wanted all the same. */
export async function run(
  folder: string,
  command: string,
  { env = {}, anyStatus = false }: { env?: NodeJS.ProcessEnv; anyStatus?: boolean } = {},
): Promise<string> {
  const child = spawn('bash', ['-c', command], { cwd: folder, env: { ...process.env, ...env } })
  let [printed, errors] = ['', '']
  child.stdout.on('data', (data: Buffer) => void (printed += data.toString()))
  child.stderr.on('data', (data: Buffer) => void (errors += data.toString()))
  const status = await new Promise<number | null>((done, failed) => child.once('error', failed).once('close', done))
  if (status !== 0 && !anyStatus) throw new Error(`${command}\nended with ${status}\n${errors}${printed}`)
  return printed
}

/** Starts a program that serves, and stops it when its use is over. */
export async function beside<T>(
  { folder, command, port }: { folder: string; command: readonly string[]; port: number },
  use: (url: string) => Promise<T>,
): Promise<T> {
  const child = spawn(command[0]!, command.slice(1), {
    cwd: folder,
    stdio: 'ignore',
    env: { ...process.env, PORT: `${port}` },
  })
  try {
    await listening(child, port)
    return await use(`http://127.0.0.1:${port}`)
  } finally {
    child.kill()
  }
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) break
    const answered = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
    await answered?.body?.cancel()
    if (answered !== undefined) return
    await new Promise((later) => setTimeout(later, 100))
  }
  throw new Error(`${child.spawnargs.join(' ')} does not listen`)
}

/** A guard that finds everything safe: what differs is the work of the middleware. */
export const SAFE: Guard = { model: 'safe', categories: [], judge: async () => ({ safe: true, categories: [] }) }

/** A proxy before a server, with the guard in it or without. */
export async function front(target: string, guarded: boolean, options: LlamaGuardOptions): Promise<Running> {
  const proxy = httpProxy.createProxyServer({ target })
  proxy.on('error', (_error, _req, res) => void res.destroy())
  const pass = (req: IncomingMessage, res: ServerResponse): void => proxy.web(req, res)
  const guard = llamaGuard({ guard: SAFE, logger: false, ...options })
  return serve((req, res) => (guarded ? void guard(req, res, () => pass(req, res)) : pass(req, res)))
}

/** What makes a program load preload.cjs, which mounts the guard in its servers. */
export async function preloaded(
  guarded: boolean,
  where: 'express' | 'http',
  options: LlamaGuardOptions,
): Promise<NodeJS.ProcessEnv> {
  if (!guarded) return {}
  // Inside node_modules, where it finds its packages.
  const file = resolve('node_modules/.cache/conformance/guard.cjs')
  const bundle = { entryPoints: ['src/llama-guard.ts'], bundle: true, outfile: file, plugins: [raw] }
  await build({ ...bundle, packages: 'external', platform: 'node', format: 'cjs' })
  return {
    NODE_OPTIONS: `--require ${resolve('test/conformance/preload.cjs')}`,
    CONFORMANCE_GUARD: file,
    CONFORMANCE_WHERE: where,
    CONFORMANCE_OPTIONS: JSON.stringify(options),
  }
}
