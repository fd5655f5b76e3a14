// The gateway's metrics: those of its guard and of the process; in a cluster those of all processes. prom-client is an
// optional peer.
import cluster from 'node:cluster'
import type { Worker } from 'node:cluster'
import type { Registry } from 'prom-client'
import { isLlamaGuardError } from '../../types/errors.js'
import { peer } from '../io.js'

export interface GatewayMetrics {
  readonly contentType: string
  read(): Promise<string>
  /** Stops counting. */
  close(): void
}

interface Answer {
  readonly llamaGuardMetrics: number
  readonly text?: string
}

/** prom-client itself waits five seconds for a worker that is starting. */
const CLUSTER_MS = 6_000

const loaded = () =>
  peer('prom-client', '/metrics', async () => ({
    ...(await import('prom-client')),
    ...(await import('../../telemetry/prometheus/index.js')),
  })).catch((error: unknown) => {
    if (isLlamaGuardError(error)) return undefined
    throw error
  })

/** Undefined where prom-client is not installed. */
export async function metricsOf(inCluster: boolean): Promise<GatewayMetrics | undefined> {
  const prom = await loaded()
  if (prom === undefined) return undefined
  const { AggregatorRegistry, collectDefaultMetrics, metrics, Registry } = prom
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const { close } = metrics({ register: registry })
  if (inCluster) {
    AggregatorRegistry.setRegistries([registry])
    // Created for its side effect: from now on the worker answers requests for its metrics.
    new AggregatorRegistry()
  }
  return {
    contentType: registry.contentType,
    read: inCluster ? () => ofAllWorkers(registry) : () => registry.metrics(),
    close,
  }
}

/** In a worker: the metrics of all workers, or its own when the first process does not answer. */
function ofAllWorkers(registry: Registry): Promise<string> {
  return new Promise((resolve) => {
    const id = Math.random()
    const done = (text: Promise<string> | string): void => {
      clearTimeout(timer)
      process.off('message', read)
      resolve(text)
    }
    const read = (message: Answer | undefined): void => {
      if (message?.llamaGuardMetrics === id && message.text !== undefined) done(message.text)
    }
    const timer = setTimeout(() => done(registry.metrics()), CLUSTER_MS)
    process.on('message', read)
    process.send?.({ llamaGuardMetrics: id })
  })
}

/** In the first process: adds up what the workers count, for the one that asks. */
export async function answerWorkers(): Promise<void> {
  const prom = await loaded()
  if (prom === undefined) return
  const aggregator = new prom.AggregatorRegistry()
  cluster.on('message', (worker: Worker, message: Answer | undefined) => {
    if (message?.llamaGuardMetrics === undefined) return
    void aggregator.clusterMetrics().then(
      (text) => worker.isConnected() && worker.send({ ...message, text }),
      () => undefined,
    )
  })
}
