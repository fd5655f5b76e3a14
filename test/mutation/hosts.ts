// Starts the process that runs tests, gives it orders and ends it, with all that it started, when it takes too long.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Order, Report } from './host.js'

export class Host {
  #child: ChildProcess | undefined
  readonly #env: NodeJS.ProcessEnv

  /**
   * `MUTATION_MARKS`: a file in which the host notes which functions each test file runs. `MUTATION_PLAN`: a file with
   * the changes that it switches.
   */
  constructor(env: NodeJS.ProcessEnv = {}) {
    this.#env = env
  }

  /** The report, or 'late'. `isStuck` is asked every few seconds. */
  async run(order: Order, seconds: number, isStuck = (): boolean => false): Promise<Report | 'late'> {
    const child = (this.#child ??= await this.#start())
    child.send(order)
    const timer = new AbortController()
    const late = new Promise<'late'>((resolve) => {
      const timeout = setTimeout(() => resolve('late'), seconds * 1000)
      const look = setInterval(() => isStuck() && resolve('late'), 5000)
      timer.signal.addEventListener('abort', () => {
        clearTimeout(timeout)
        clearInterval(look)
      })
    })
    const exit = once(child, 'exit', { signal: timer.signal }).then(
      () => 'late' as const,
      () => 'late' as const,
    )
    const report = once(child, 'message', { signal: timer.signal }).then(
      ([message]) => message as Report,
      () => 'late' as const,
    )
    const result = await Promise.race([report, late, exit])
    timer.abort()
    if (result === 'late') this.stop()
    return result
  }

  /** Ends the process and its children, one of which may be in a loop without end. */
  stop(): void {
    const pid = this.#child?.pid
    this.#child = undefined
    if (pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }

  async #start(): Promise<ChildProcess> {
    const child = fork('node_modules/vite-node/vite-node.mjs', ['test/mutation/host.ts'], {
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, ...this.#env },
    })
    await once(child, 'message')
    return child
  }
}
