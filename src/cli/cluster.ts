// `serve --cluster`: one gateway per core. The first process only keeps the others alive, tells them to stop, and adds up their metrics.
import cluster from 'node:cluster'
import type { Worker } from 'node:cluster'
import { AggregatorRegistry } from 'prom-client'
import type { Registry } from 'prom-client'
import { pause } from './io.js'

interface MetricsAnswer {
  readonly llamaGuardMetrics: number
  readonly text?: string
}

/** A worker that dies at once, again and again, must not burn the machine. */
const RESTART_MS = 1_000
/** prom-client itself waits five seconds for a worker that is just starting. */
const METRICS_MS = 6_000

/** Runs until the signal fires and every worker has ended. True when all ended well. */
export async function keepWorkers(count: number, signal: AbortSignal, tell: (text: string) => void): Promise<boolean> {
  const aggregator = new AggregatorRegistry()
  let good = true
  cluster.on('message', (worker: Worker, message: MetricsAnswer | undefined) => {
    if (message?.llamaGuardMetrics === undefined) return
    void aggregator.clusterMetrics().then((text) => worker.isConnected() && worker.send({ ...message, text }), () => undefined)
  })
  cluster.on('online', (worker) => tell(`Worker ${worker.process.pid} started.`))
  const ended = new Promise<void>((resolve) => {
    cluster.on('exit', (worker, code, by) => {
      if (signal.aborted) {
        good &&= code === 0
        if (Object.keys(cluster.workers ?? {}).length === 0) resolve()
        return
      }
      tell(`Worker ${worker.process.pid} ended (${by ?? code}); starting another.`)
      void pause(RESTART_MS, signal).then(() => {
        if (!signal.aborted) cluster.fork()
      })
    })
    signal.addEventListener('abort', () => {
      const workers = Object.values(cluster.workers ?? {})
      if (workers.length === 0) resolve()
      for (const worker of workers) worker?.process.kill('SIGTERM')
    }, { once: true })
  })
  for (let index = 0; index < count; index += 1) cluster.fork()
  await ended
  return good
}

/** In a worker: reads the metrics of all of them, or its own when the first process does not answer. */
export function clusterMetrics(registry: Registry): () => Promise<string> {
  AggregatorRegistry.setRegistries([registry])
  // Made for its side effect: a worker answers for its metrics from here on.
  new AggregatorRegistry()
  return () => new Promise((resolve) => {
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
