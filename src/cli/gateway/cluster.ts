// `serve --cluster`: one gateway per core. The first process restarts the others, tells them to stop, and adds up
// their metrics.
import cluster from 'node:cluster'
import { EXIT, type ExitCode, pause } from '../io.js'
import { answerWorkers } from './metrics.js'

/** Milliseconds before a worker is replaced. A worker that keeps dying must not use all of the CPU. */
const RESTART_MS = 1_000

/**
 * Runs until the signal fires and every worker has ended, or until a worker reports wrong settings, because a restart
 * does not correct them.
 */
export async function keepWorkers(count: number, signal: AbortSignal, tell: (text: string) => void): Promise<ExitCode> {
  await answerWorkers()
  let result: ExitCode = EXIT.ok
  let stopping = signal.aborted
  cluster.on('online', (worker) => tell(`Worker ${worker.process.pid} started.`))
  const ended = new Promise<void>((resolve) => {
    const stop = (): void => {
      stopping = true
      const workers = Object.values(cluster.workers ?? {})
      if (workers.length === 0) resolve()
      for (const worker of workers) worker?.process.kill('SIGTERM')
    }
    cluster.on('exit', (worker, code, by) => {
      if (stopping) {
        if (result === EXIT.ok && code !== 0) result = EXIT.failed
        if (Object.keys(cluster.workers ?? {}).length === 0) resolve()
        return
      }
      if (code === EXIT.usage) {
        result = EXIT.usage
        stop()
        return
      }
      tell(`Worker ${worker.process.pid} ended (${by ?? code}); starting another.`)
      void pause(RESTART_MS, signal).then(() => {
        if (!stopping) cluster.fork()
      })
    })
    signal.addEventListener('abort', stop, { once: true })
  })
  for (let index = 0; index < count; index += 1) cluster.fork()
  await ended
  return result
}
