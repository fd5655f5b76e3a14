// `serve`: the gateway as a process, from its settings to its signals.
import type { DashboardOptions } from '../../dashboard/index.js'
import { membersOf } from '../../services/create-guard.js'
import { invalidOption } from '../../types/errors.js'
import { type Config, parseOptions } from '../../options/config.js'
import { type GuardFlags, optionsOf } from '../flags.js'
import { cureFor, EXIT, type ExitCode, type Io } from '../io.js'
import { guardName, upstreamName } from '../names.js'
import { type Gateway, type GatewaySettings, startGateway } from './index.js'

/** Its help tells what each does. */
export interface ServeFlags extends GuardFlags, DashboardOptions, GatewaySettings {
  readonly dashboard?: boolean
}

/** Resolves when `io.signal` has fired and every reply has ended. */
export async function serve(flags: ServeFlags, io: Io): Promise<ExitCode> {
  const tell = (text: string): void => void io.stderr.write(`${text}\n`)
  const signal = io.signal ?? new AbortController().signal
  const options = optionsOf(flags, io.env)
  const { playground } = flags
  const dashboard = flags.dashboard || playground ? { playground } : undefined
  for (const line of describeSettings(parseOptions(options, io.env))) tell(line)
  let gateway: Gateway
  try {
    gateway = await startGateway({ ...flags, options, dashboard, env: io.env })
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (syscall !== 'listen' && syscall !== 'getaddrinfo') throw error
    if (code === 'EADDRINUSE' || code === 'EACCES')
      throw invalidOption(
        `The port ${flags.port} ${code === 'EACCES' ? 'may not be listened on' : 'is taken'}. Give another with --port.`,
      )
    throw invalidOption(
      `The address ${JSON.stringify(flags.host)} cannot be listened on (${code}). Give one of this machine with --host.`,
    )
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
  return EXIT.ok
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
