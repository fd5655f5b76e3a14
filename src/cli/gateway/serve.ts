// `serve`: the gateway as a process, from its settings to its signals; with `--cluster` one for each core.
import cluster from 'node:cluster'
import { availableParallelism } from 'node:os'
import type { DashboardOptions } from '../../dashboard/index.js'
import { isLlamaGuardError, toLlamaGuardError } from '../../types/errors.js'
import type { LlamaGuardOptions } from '../../options/index.js'
import { type Config, parseOptions } from '../../options/config.js'
import { cureFor, EXIT, type ExitCode, type Io, painter, pause } from '../io.js'
import { type Gateway, startGateway } from './index.js'
import { answerWorkers } from './metrics.js'

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

/** One line for the guard, one for the policy, one for the upstream. No line holds a key or a password. */
export function describeSettings(config: Config): readonly string[] {
  return [
    `Guard: ${guardOf(config)}`,
    `Policy: ${policyOf(config)}; mode ${config.mode}, on error ${config.onError}, checks ${config.check.join(' and ')}`,
    `Upstream: ${upstreamOf(config)}`,
  ]
}

function guardOf({ guard, model, endpoint, inferenceComponent, guardUrl, guardModel }: Config): string {
  switch (guard) {
    case 'sagemaker':
      return `${model} on the SageMaker endpoint ${endpoint}${inferenceComponent ? `, component ${inferenceComponent}` : ''}`
    case 'openai':
      return `${model} at ${withoutSecrets(guardUrl ?? '')}${guardModel ? `, served as ${guardModel}` : ''}`
    case 'llama-cpp':
      return `${model} in this process, from ${guardModel}`
    case 'bedrock':
      return `${model} on Bedrock, as ${guardModel}`
    case 'bedrock-guardrail':
      return `the Bedrock guardrail ${guardModel}`
    case 'openai-moderation':
      return `${guardModel ?? 'omni-moderation-latest'} at ${withoutSecrets(guardUrl ?? 'https://api.openai.com/v1')}`
    case 'local':
      return 'the built-in baseline screen, which is not Llama Guard'
    default:
      return guard.model ?? 'a guard of your own'
  }
}

function policyOf({ categories, task, instruction, threshold, actions }: Config): string {
  const own = [
    ...(categories === undefined ? [] : [`${categories.length} categories of your own`]),
    ...(task === undefined && instruction === undefined ? [] : ['words of your own']),
    ...(actions === undefined ? [] : [`actions for ${Object.keys(actions).join(', ')}`]),
    ...(threshold === undefined ? [] : [`unsafe from ${threshold}`]),
  ]
  return own.length === 0 ? "the model's own" : own.join(', ')
}

function upstreamOf({ upstream }: Config): string {
  if (typeof upstream === 'string') return withoutSecrets(upstream)
  if (upstream === undefined) return 'none'
  if ('url' in upstream) return withoutSecrets(upstream.url)
  if ('endpoint' in upstream) return `the SageMaker endpoint ${upstream.endpoint}`
  return 'an upstream of your own'
}

/** A URL may carry a password, or a key in its query. */
function withoutSecrets(text: string): string {
  if (!URL.canParse(text)) return 'a URL that cannot be read'
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname}`
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
