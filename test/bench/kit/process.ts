// Servers in processes of their own, bundled to plain JavaScript first, so that what is measured is what Node
// runs in production.
// A server reports its port, and on request its CPU time, memory and counts.
import { fork, type ChildProcess } from 'node:child_process'
import { build } from 'esbuild'
import { raw } from '../../helpers/build.js'

export const OUT = 'node_modules/.cache/llama-guard-bench'

/** Bundles `test/bench/servers/*.ts`. Packages stay outside: they are measured as installed. */
export async function bundleServers(names: readonly string[]): Promise<void> {
  await build({
    entryPoints: names.map((name) => `test/bench/servers/${name}.ts`),
    outdir: OUT,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    plugins: [raw],
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'error',
  })
}

export interface Usage {
  /** Microseconds of CPU, user and system, since the start of the process. */
  readonly cpu: number
  readonly rss: number
  readonly heap: number
  readonly external: number
  /** Calls answered and bytes of their bodies, for the guard and the LLM. */
  readonly calls: number
  readonly bytes: number
  /** Events of paced streams, from the LLM. */
  readonly events?: number
}

export interface Server {
  readonly name: string
  readonly port: number
  usage(collect?: boolean): Promise<Usage>
  /** Changes what a stub answers. */
  set(settings: object): Promise<void>
  close(): Promise<void>
}

export async function start(
  name: string,
  script: string,
  env: Record<string, string> = {},
  nodeOptions: readonly string[] = [],
): Promise<Server> {
  // No LLAMA_GUARD_* of the shell: every run has the same settings.
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([variable]) => !variable.startsWith('LLAMA_GUARD_')),
  )
  const child = fork(`${OUT}/${script}.mjs`, {
    env: { ...clean, NODE_ENV: 'production', NODE_NO_WARNINGS: '1', ...env },
    execArgv: ['--expose-gc', ...nodeOptions],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const { port } = (await once(child, 'port')) as { port: number }
  return {
    name,
    port,
    async usage(collect = false) {
      child.send({ ask: 'usage', collect })
      return (await once(child, 'cpu')) as unknown as Usage
    },
    async set(settings) {
      child.send({ ask: 'set', settings })
      await once(child, 'done')
    },
    close: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve())
        child.send({ ask: 'stop' })
      }),
  }
}

function once(child: ChildProcess, field: string): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      if (typeof message !== 'object' || message === null || !(field in message)) return
      child.off('message', onMessage).off('exit', onExit)
      resolve(message as Record<string, unknown>)
    }
    const onExit = (code: number | null): void => reject(new Error(`a server ended with code ${code}`))
    child.on('message', onMessage).once('exit', onExit)
  })
}
