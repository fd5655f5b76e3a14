// `serve`: the gateway as a process, from its settings to its signals.
import cluster from 'node:cluster'
import { availableParallelism } from 'node:os'
import type { DashboardOptions } from '../../dashboard/index.js'
import { isLlamaGuardError, toLlamaGuardError } from '../../errors.js'
import type { LlamaGuardOptions } from '../../options/index.js'
import { keepWorkers } from './cluster.js'
import { startGateway } from './index.js'
import type { Gateway } from './index.js'
import { parseOptions } from '../../options/config.js'
import { EXIT, painter } from '../io.js'
import type { ExitCode, Io } from '../io.js'
import { cureFor } from '../peer.js'
import { describeSettings } from './settings.js'

export interface ServeOptions {
  readonly port?: number
  readonly host?: string
  readonly maxConnections?: number
  readonly drainMs?: number
  /** Number of processes; true is one per core. Default: one process. */
  readonly cluster?: boolean | number
  /** Settings of the live page. Default: no page. */
  readonly dashboard?: DashboardOptions
  /** Settings over those of the environment. */
  readonly options?: LlamaGuardOptions
}

/** Resolves when `io.signal` has fired and every reply has ended. */
export async function serve(options: ServeOptions, io: Io): Promise<ExitCode> {
  const tell = (text: string): void => void io.stderr.write(`${text}\n`)
  const signal = io.signal ?? new AbortController().signal
  if (options.cluster && options.dashboard) {
    // Each process counts for itself, and a page would show whichever answered.
    tell(
      '--dashboard shows what one process does, and --cluster starts several. Leave one of them out; /metrics adds ' +
        'up all processes.',
    )
    return EXIT.usage
  }
  if (options.cluster && cluster.isPrimary) {
    const count = options.cluster === true ? availableParallelism() : options.cluster
    tellSettings(options, io, tell)
    tell(`Starting ${count} processes.`)
    return keepWorkers(count, signal, tell)
  }
  let gateway: Gateway
  try {
    gateway = await startGateway({ ...options, env: io.env, inCluster: cluster.isWorker })
  } catch (error) {
    const { code, message } = toLlamaGuardError(error)
    // No chat content exists yet, so the message of an unknown error can be printed.
    const known = isLlamaGuardError(error)
      ? `${code}: ${message}`
      : `${code}: ${error instanceof Error ? error.message : message}`
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    leaveCluster()
    tell(
      painter(io.stderr, io.env)(
        'red',
        taken ? `The port ${options.port ?? 8080} is taken. Give another with --port.` : known,
      ),
    )
    return EXIT.usage
  }
  if (!cluster.isWorker) tellSettings(options, io, tell)
  tell(`Listening on ${gateway.url}. Base URL for OpenAI clients: ${gateway.url}/v1`)
  if (!gateway.hasMetrics) tell(`/metrics is off: it needs prom-client. ${cureFor('prom-client')}`)
  if (options.dashboard)
    tell(
      `Dashboard: ${gateway.url}/dashboard, for ` +
        (io.env['LLAMA_GUARD_DASHBOARD_TOKEN'] ? 'whoever has the token.' : 'this machine alone.'),
    )
  if (!signal.aborted) await new Promise<void>((stop) => signal.addEventListener('abort', () => stop(), { once: true }))
  tell('Stopping: no new requests, open replies may finish.')
  await gateway.stop()
  tell('Stopped.')
  leaveCluster()
  return EXIT.ok
}

function tellSettings({ options }: ServeOptions, { env }: Io, tell: (text: string) => void): void {
  try {
    for (const line of describeSettings(parseOptions(options, env))) tell(line)
  } catch {
    // A worker of the cluster reports the wrong settings and ends.
  }
}

/** Disconnects from the first process. The open channel would keep a worker alive. */
function leaveCluster(): void {
  if (cluster.isWorker) cluster.worker?.disconnect()
}
