// `serve --cluster`: one gateway per core. The first process restarts the others, tells them to stop, and adds up
// their metrics.
import cluster from 'node:cluster'
import type { Worker } from 'node:cluster'
import { AggregatorRegistry } from 'prom-client'
import type { Registry } from 'prom-client'
import { EXIT, pause } from '../io.js'
import type { ExitCode } from '../io.js'

interface MetricsAnswer {
  readonly llamaGuardMetrics: number
  readonly text?: string
}

/** Milliseconds before a worker is replaced. A worker that keeps dying must not use all of the CPU. */
const RESTART_MS = 1_000
/** prom-client itself waits five seconds for a worker that is starting. */
const METRICS_MS = 6_000

/**
 * Runs until the signal fires and every worker has ended, or until a worker reports wrong settings, because a restart
 * does not correct them.
 */
export async function keepWorkers(count: number, signal: AbortSignal, tell: (text: string) => void): Promise<ExitCode> {
  const aggregator = new AggregatorRegistry()
  let result: ExitCode = EXIT.ok
  let stopping = signal.aborted
  cluster.on('message', (worker: Worker, message: MetricsAnswer | undefined) => {
    if (message?.llamaGuardMetrics === undefined) return
    void aggregator.clusterMetrics().then(
      (text) => worker.isConnected() && worker.send({ ...message, text }),
      () => undefined,
    )
  })
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

/** In a worker: reads the metrics of all workers, or its own when the first process does not answer. */
export function clusterMetrics(registry: Registry): () => Promise<string> {
  AggregatorRegistry.setRegistries([registry])
  // Created for its side effect: from now on the worker answers requests for its metrics.
  new AggregatorRegistry()
  return () =>
    new Promise((resolve) => {
      const id = Math.random()
      const done = (text: Promise<string> | string): void => {
        clearTimeout(timer)
        process.off('message', read)
        resolve(text)
      }
      const read = (message: MetricsAnswer | undefined): void => {
        if (message?.llamaGuardMetrics === id && message.text !== undefined) done(message.text)
      }
      const timer = setTimeout(() => done(registry.metrics()), METRICS_MS)
      process.on('message', read)
      process.send?.({ llamaGuardMetrics: id })
    })
}
