// The gateway's metrics, in Prometheus's words. Labels come from fixed sets alone: no path, id or text of a
// client can become one.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { LlamaGuard } from '../../llama-guard.js'
import type { VerdictEvent } from '../../types.js'

export interface GatewayMetrics {
  readonly registry: Registry
  verdict(event: VerdictEvent): void
  request(route: string, status: number): void
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function gatewayMetrics(open: () => number, stats: () => ReturnType<LlamaGuard['stats']>): GatewayMetrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
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
  const seconds = new Histogram({
    name: 'llama_guard_judgement_seconds',
    help: 'How long a stage waited for its slowest judgement',
    labelNames: ['stage'],
    buckets: SECONDS,
    registers,
  })
  const checks = new Counter({
    name: 'llama_guard_checks_total',
    help: 'Guard checks made, several for long texts and streams',
    labelNames: ['stage'],
    registers,
  })
  const requests = new Counter({
    name: 'llama_guard_http_requests_total',
    help: 'Requests answered',
    labelNames: ['route', 'status'],
    registers,
  })
  new Gauge({
    name: 'llama_guard_http_requests_open',
    help: 'Requests being answered',
    registers,
    collect() {
      this.set(open())
    },
  })
  new Gauge({
    name: 'llama_guard_cache',
    help: 'Verdict cache counters since the start',
    labelNames: ['what'],
    registers,
    collect() {
      for (const [what, value] of Object.entries(stats().cache))
        if (typeof value === 'number') this.set({ what }, value)
    },
  })
  return {
    registry,
    verdict({ stage, verdict, action, code = '', categories: named, ms, checks: made }) {
      judgements.inc({ stage, verdict, action, code })
      seconds.observe({ stage }, ms / 1000)
      checks.inc({ stage }, made)
      for (const category of named)
        categories.inc({ stage, category: /^[A-Za-z]\d{1,3}$/.test(category) ? category : 'other' })
    },
    request: (route, status) => requests.inc({ route, status: String(status) }),
  }
}
