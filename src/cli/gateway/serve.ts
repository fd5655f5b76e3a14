// `serve`: the gateway as a process, from its settings to its signals; with `--cluster` one for each core.
import cluster from 'node:cluster'
import { availableParallelism } from 'node:os'
import type { DashboardOptions } from '../../dashboard/index.js'
import { membersOf } from '../../services/create-guard.js'
import { LlamaGuardError } from '../../types/errors.js'
import { type Config, parseOptions } from '../../options/config.js'
import { type GuardFlags, optionsOf } from '../flags.js'
import { cureFor, EXIT, type ExitCode, type Io, pause } from '../io.js'
import { guardName, upstreamName } from '../names.js'
import { type Gateway, type GatewaySettings, startGateway } from './index.js'
import { answerWorkers } from './metrics.js'

/** Its help tells what each does. */
export interface ServeFlags extends GuardFlags, DashboardOptions, GatewaySettings {
  /** Number of processes; true is one per core. */
  readonly cluster?: boolean | number
  readonly dashboard?: boolean
}

/** Resolves when `io.signal` has fired and every reply has ended. */
export async function serve(flags: ServeFlags, io: Io): Promise<ExitCode> {
  const tell = (text: string): void => void io.stderr.write(`${text}\n`)
  const signal = io.signal ?? new AbortController().signal
  const options = optionsOf(flags, io.env)
  const { playground, dollarsPerHour, dollarsPerMillionTokens } = flags
  const page = { playground, dollarsPerHour, dollarsPerMillionTokens }
  const dashboard = flags.dashboard || Object.values(page).some((value) => value !== undefined) ? page : undefined
  // Each process counts for itself, and a page would show whichever answered.
  if (flags.cluster && dashboard)
    throw new LlamaGuardError(
      'invalid_option',
      '--dashboard shows what one process does, and --cluster starts several. Leave one out; /metrics adds up all.',
    )
  if (!cluster.isWorker) for (const line of describeSettings(parseOptions(options, io.env))) tell(line)
  if (flags.cluster && cluster.isPrimary) {
    const count = flags.cluster === true ? availableParallelism() : flags.cluster
    tell(`Starting ${count} processes.`)
    return keepWorkers(count, signal, tell)
  }
  let gateway: Gateway
  try {
    gateway = await startGateway({ ...flags, options, dashboard, env: io.env, inCluster: cluster.isWorker })
  } catch (error) {
    leaveCluster()
    const { code, syscall } = error as NodeJS.ErrnoException
    // The first process of a cluster binds for its workers.
    if (syscall !== 'listen' && syscall !== 'bind') throw error
    const words = code === 'EADDRINUSE' ? 'is taken' : `cannot be listened on (${code})`
    throw new LlamaGuardError('invalid_option', `The port ${flags.port} ${words}. Give another with --port.`)
  }
  tell(`Listening on ${gateway.url}. Base URL for OpenAI clients: ${gateway.url}/v1`)
  if (!gateway.hasMetrics) tell(`/metrics is off: it needs prom-client. ${cureFor('prom-client')}`)
  if (dashboard)
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

/** Disconnects from the first process. The open channel would keep a worker alive. */
function leaveCluster(): void {
  if (cluster.isWorker) cluster.worker?.disconnect()
}

/** What people look for first when a gateway does not do what they expect. */
export function describeSettings(config: Config): readonly string[] {
  const { mode, onError, check, upstream, categories, task, instruction, threshold, actions } = config
  const own = { categories, task, instruction, threshold, actions }
  const policy = Object.entries(own).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  return [
    `Guard: ${membersOf(config)
      .map((member) => guardName(member.config))
      .join(', ')}`,
    `Policy: ${policy.length === 0 ? "the model's own" : `the model's with your ${policy.join(', ')}`}`,
    `Mode: ${mode}, on error ${onError}, checks ${check.join(' and ')}`,
    `Upstream: ${upstreamName(upstream)}`,
  ]
}

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
