// The metrics and what each message adds to them. Labels come from closed sets: nothing that a client sends can become
// one, and what an operator names is cut off at a bound.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { CheckMessage, RequestMessage, ShadowMessage, VerdictMessage } from '../channels.js'
import { liveStats, type LiveStats } from '../live-guards.js'

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** Different values that a label may have; the rest is `other`. */
const MOST_VALUES = 64
const EXEMPLAR_CHARS = 128
const BREAKER = { off: 0, closed: 0, 'half-open': 1, open: 2 } as const

export interface Collectors {
  check(message: CheckMessage): void
  verdict(message: VerdictMessage): void
  request(message: RequestMessage): void
  shadow(message: ShadowMessage): void
}

export function createCollectors(register: Registry): Collectors {
  const registers = [register]
  // Only OpenMetrics has a place for exemplars.
  const openMetrics = /openmetrics/.test(register.contentType)
  const judgementSeconds = new Histogram({
    name: 'llama_guard_judgement_duration_seconds',
    help: 'How long a stage waited for its slowest judgement',
    labelNames: ['stage', 'verdict', 'action', 'mode'],
    buckets: SECONDS,
    enableExemplars: openMetrics,
    registers,
  })
  const checkSeconds = new Histogram({
    name: 'llama_guard_check_duration_seconds',
    help: 'How long the guard took for one check; remembered verdicts are left out',
    labelNames: ['backend', 'model', 'error'],
    buckets: SECONDS,
    registers,
  })
  const addedSeconds = new Histogram({
    name: 'llama_guard_added_latency_seconds',
    help: 'What the guard added: the wait before the handler (input), the hold of the first and last byte of a reply',
    labelNames: ['stage', 'byte', 'streaming'],
    buckets: SECONDS,
    registers,
  })
  const judgements = new Counter({
    name: 'llama_guard_judgements_total',
    help: 'Stages judged, by verdict and what became of it',
    labelNames: ['stage', 'verdict', 'action', 'code'],
    registers,
  })
  const categories = new Counter({
    name: 'llama_guard_categories_total',
    help: 'Violated categories',
    labelNames: ['stage', 'category'],
    registers,
  })
  const checks = new Counter({
    name: 'llama_guard_checks_total',
    help: 'Guard checks made, several for long texts and streams',
    labelNames: ['stage'],
    registers,
  })
  const requests = new Counter({
    name: 'llama_guard_requests_total',
    help: 'Requests that reached the middleware, by whether any stage of them was judged',
    labelNames: ['outcome'],
    registers,
  })
  const notJudged = new Counter({
    name: 'llama_guard_not_judged_total',
    help: 'Stages and parts of requests that were not judged, by reason',
    labelNames: ['reason', 'dialect'],
    registers,
  })
  const tokens = new Counter({
    name: 'llama_guard_tokens_total',
    help: 'Tokens the guard model read and wrote',
    labelNames: ['direction'],
    registers,
  })
  const comparisons = new Counter({
    name: 'llama_guard_shadow_comparisons_total',
    help: 'Texts that the guard on trial judged too, by what either guard said',
    labelNames: ['stage', 'primary', 'shadow'],
    registers,
  })
  const [model, dialect, code] = [bounded(), bounded(), bounded()]
  collectStats(registers, model)
  return {
    check({ backend, model: asked, result }) {
      if (result === undefined) return
      const { cached, ms, judgedBy = asked, code: error = '', tokens: used } = result
      if (!cached) checkSeconds.observe({ backend, model: model(judgedBy), error: code(error) }, ms / 1000)
      tokens.inc({ direction: 'input' }, used.input ?? 0)
      tokens.inc({ direction: 'output' }, used.output ?? 0)
    },
    verdict(message) {
      const { stage, verdict, action, mode, ms, code: error = '', categories: named, checks: made } = message
      judgements.inc({ stage, verdict, action, code: code(error) })
      const labels = { stage, verdict, action, mode }
      if (openMetrics) judgementSeconds.observe({ labels, value: ms / 1000, exemplarLabels: exemplarOf(message) })
      else judgementSeconds.observe(labels, ms / 1000)
      checks.inc({ stage }, made)
      for (const category of named)
        categories.inc({ stage, category: /^(?:[A-Za-z]{1,2}\d{1,3}|tool_call)$/.test(category) ? category : 'other' })
    },
    request(event) {
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
    shadow({ stage, primary, shadow }) {
      comparisons.inc({ stage, primary: primary.verdict, shadow: shadow.verdict })
    },
  }
}

/** Which request it was, and what `context` says of it, as far as the 128 characters of an exemplar go. */
function exemplarOf({ requestId, context }: VerdictMessage): Record<string, string> {
  const labels: Record<string, string> = {}
  let left = EXEMPLAR_CHARS
  for (const [name, value] of Object.entries({ request_id: requestId, ...context })) {
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
  const total = (
    name: string,
    help: string,
    label: string,
    read: (stats: LiveStats) => Record<string, number>,
  ): void => {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset()
        for (const stats of liveStats())
          for (const [value, count] of Object.entries(read(stats))) this.inc({ [label]: value }, count)
      },
    })
  }
  type Member = LiveStats['guards'][number]
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
  total('llama_guard_cache_total', 'Questions by what the verdict cache did', 'result', ({ cache }) => ({
    hit: cache.hits - (cache.store?.hits ?? 0),
    shared: cache.store?.hits ?? 0,
    miss: cache.misses,
    joined: cache.joined,
  }))
  total('llama_guard_audit_rows_total', 'Audit rows by what became of them', 'result', ({ audit }) => ({ ...audit }))
  total('llama_guard_policy_loads_total', 'Changes of the policy file, taken or not', 'result', ({ policy }) => ({
    ...policy,
  }))
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
