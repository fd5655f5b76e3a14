// `express-llama-guard/prometheus`: a handler for /metrics that counts what all guards of this process publish. Labels
// come from closed sets: nothing that a client sends can become one, and what an operator names is cut off at a bound.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Counter, Gauge, register as globalRegister, Histogram, type Registry } from 'prom-client'
import { type CheckMessage, listen, type RequestMessage, type ShadowMessage, type VerdictMessage } from '../channels.js'
import { cacheCounts, liveStats } from '../live-guards.js'
import type { GuardStats } from '../../types.js'

export interface MetricsOptions {
  /** The registry the metrics are added to. Default: prom-client's global one. */
  readonly register?: Registry
}

export interface MetricsHandler {
  (req: IncomingMessage, res: ServerResponse): void
  readonly register: Registry
  /** Stops counting. What has been counted stays in the registry. */
  close(): void
}

/** Two sets of equal names would be an error of prom-client's. */
const counting = new WeakMap<Registry, { users: number; stop: () => void; start: () => () => void }>()

/**
 * Counts from now on what every guard of this process judges and passes, and answers in Prometheus' text format. Labels
 * come from closed sets: never a request id, a tenant, a path or a text.
 *
 * @example app.get('/metrics', metrics())
 */
export function metrics({ register = globalRegister }: MetricsOptions = {}): MetricsHandler {
  let entry = counting.get(register)
  if (entry === undefined) {
    const start = listener(register)
    counting.set(register, (entry = { users: 0, start, stop: () => undefined }))
  }
  if (entry.users++ === 0) entry.stop = entry.start()
  const { stop } = entry
  let closed = false
  const handler = (_req: IncomingMessage, res: ServerResponse): void => {
    register.metrics().then(
      (text) => {
        res.setHeader('content-type', register.contentType)
        res.end(text)
      },
      () => {
        res.statusCode = 500
        res.end('The metrics could not be read.\n')
      },
    )
  }
  const close = (): void => {
    if (closed) return
    closed = true
    if (--entry.users === 0) stop()
  }
  return Object.assign(handler, { register, close })
}

/** Makes the metrics once. What it returns starts counting, and returns what stops it. */
function listener(register: Registry): () => () => void {
  const { check, ...others } = createCollectors(register)
  return () => listen({ ...others, check: { asyncEnd: check } })
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** Different values that a label may have; the rest is `other`. */
const MOST_VALUES = 64
const EXEMPLAR_CHARS = 128
const BREAKER = { off: 0, closed: 0, 'half-open': 1, open: 2 } as const

function createCollectors(register: Registry) {
  const registers = [register]
  // Only OpenMetrics has a place for exemplars.
  const openMetrics = /openmetrics/.test(register.contentType)
  const seconds = (name: string, help: string, labelNames: string[], enableExemplars = false): Histogram =>
    new Histogram({
      name: `llama_guard_${name}_seconds`,
      help,
      labelNames,
      buckets: SECONDS,
      enableExemplars,
      registers,
    })
  const total = (name: string, help: string, labels: string): Counter =>
    new Counter({ name: `llama_guard_${name}_total`, help, labelNames: labels.split(' '), registers })
  const judgementSeconds = seconds(
    'judgement_duration',
    'How long a stage waited for its slowest judgement',
    ['stage', 'verdict', 'action', 'mode'],
    openMetrics,
  )
  const checkSeconds = seconds(
    'check_duration',
    'How long the guard took for one check; remembered verdicts are left out',
    ['backend', 'model', 'error'],
  )
  const addedSeconds = seconds(
    'added_latency',
    'What the guard added: the wait before the handler (input), the hold of the first and last byte of a reply',
    ['stage', 'byte', 'streaming'],
  )
  const judgements = total('judgements', 'Stages judged, by verdict and what became of it', 'stage verdict action code')
  const categories = total('categories', 'Violated categories', 'stage category')
  const checks = total('checks', 'Guard checks made, several for long texts and streams', 'stage')
  const requests = total(
    'requests',
    'Requests that reached the middleware, by whether any stage of them was judged',
    'outcome',
  )
  const notJudged = total(
    'not_judged',
    'Stages and parts of requests that were not judged, by reason',
    'reason dialect',
  )
  const tokens = total('tokens', 'Tokens the guard model read and wrote', 'direction')
  const comparisons = total(
    'shadow_comparisons',
    'Texts that the guard on trial judged too, by what either guard said',
    'stage primary shadow',
  )
  const [model, dialect, code] = [bounded(), bounded(), bounded()]
  collectStats(registers, model)
  return {
    check({ backend, model: asked, result }: CheckMessage): void {
      if (result === undefined) return
      const { cached, ms, judgedBy = asked, code: error = '', tokens: used } = result
      if (!cached) checkSeconds.observe({ backend, model: model(judgedBy), error: code(error) }, ms / 1000)
      tokens.inc({ direction: 'input' }, used.input ?? 0)
      tokens.inc({ direction: 'output' }, used.output ?? 0)
    },
    verdict(message: VerdictMessage): void {
      const { stage, verdict, action, mode, ms, code: error = '', categories: named, checks: made } = message
      judgements.inc({ stage, verdict, action, code: code(error) })
      const labels = { stage, verdict, action, mode }
      if (openMetrics) judgementSeconds.observe({ labels, value: ms / 1000, exemplarLabels: exemplarOf(message) })
      else judgementSeconds.observe(labels, ms / 1000)
      checks.inc({ stage }, made)
      for (const category of named)
        categories.inc({ stage, category: /^(?:[A-Za-z]{1,2}\d{1,3}|tool_call)$/.test(category) ? category : 'other' })
    },
    request(event: RequestMessage): void {
      requests.inc({ outcome: event.judged ? 'judged' : 'not-judged' })
      for (const { what, count } of event.notJudged)
        notJudged.inc({ reason: what, dialect: dialect(event.dialect) }, count)
      const { input, firstByte, lastByte } = event.added
      const added = [
        ['input', '', input],
        ['output', 'first', firstByte],
        ['output', 'last', lastByte],
      ] as const
      for (const [stage, byte, ms] of added)
        if (ms !== undefined) addedSeconds.observe({ stage, byte, streaming: String(event.stream) }, ms / 1000)
    },
    shadow({ stage, primary, shadow }: ShadowMessage): void {
      comparisons.inc({ stage, primary: primary.verdict, shadow: shadow.verdict })
    },
  }
}

/** Which request it was, and what `context` says of it, as far as the 128 characters of an exemplar go. */
function exemplarOf({ requestId, context }: VerdictMessage): Record<string, string> {
  const labels: Record<string, string> = {}
  let left = EXEMPLAR_CHARS
  for (const [name, value] of Object.entries<string | number | boolean>({ request_id: requestId, ...context })) {
    const chars = name.length + String(value).length
    if (chars > left || !/^[A-Za-z_]\w*$/.test(name)) continue
    left -= chars
    labels[name] = String(value)
  }
  return labels
}

/**
 * What is read from the guards when the metrics are. A counter that falls is one that began anew, to Prometheus too.
 */
function collectStats(registers: Registry[], model: (name: string) => string): void {
  const total = (name: string, help: string, read: (stats: GuardStats) => Record<string, number>): void => {
    new Counter({
      name,
      help,
      labelNames: ['result'],
      registers,
      collect() {
        this.reset()
        for (const stats of liveStats())
          for (const [result, count] of Object.entries(read(stats))) this.inc({ result }, count)
      },
    })
  }
  type Member = GuardStats['guards'][number]
  const gauge = (name: string, help: string, read: (member: Member) => number, most = false): void => {
    new Gauge({
      name,
      help,
      labelNames: ['model'],
      registers,
      aggregator: most ? 'max' : 'sum',
      collect() {
        this.reset()
        const values = new Map<string, number>()
        for (const member of liveStats().flatMap(({ guards }) => guards)) {
          const [label, value] = [model(member.model), read(member)]
          const before = values.get(label) ?? 0
          values.set(label, most ? Math.max(before, value) : before + value)
        }
        for (const [label, value] of values) this.set({ model: label }, value)
      },
    })
  }
  total('llama_guard_cache_total', 'Questions by what the verdict cache did', cacheCounts)
  total('llama_guard_audit_rows_total', 'Audit rows by what became of them', ({ audit }) => ({ ...audit }))
  total('llama_guard_policy_loads_total', 'Changes of the policy file, taken or not', ({ policy }) => ({ ...policy }))
  gauge('llama_guard_queued', 'Checks that wait for a place at the guard', ({ queued }) => queued)
  gauge('llama_guard_in_flight', 'Calls to the guard that are on their way', ({ inFlight }) => inFlight)
  const state = 'Circuit breaker of the guard: 0 closed, 1 half-open, 2 open'
  gauge('llama_guard_breaker_state', state, ({ circuit }) => BREAKER[circuit], true)
}

function bounded(): (value: string) => string {
  const seen = new Set<string>()
  return (value) => {
    if (seen.has(value)) return value
    if (seen.size >= MOST_VALUES) return 'other'
    seen.add(value)
    return value
  }
}
