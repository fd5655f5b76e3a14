// The gateway's metrics: those of its guard, of its HTTP server, and of the process. Labels come from fixed sets alone:
// no path, id or text of a client can become one.
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import { metrics } from '../../telemetry/prometheus/index.js'

export interface GatewayMetrics {
  readonly registry: Registry
  request(route: string, status: number): void
  /** Stops counting. */
  close(): void
}

export function gatewayMetrics(open: () => number): GatewayMetrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const { close } = metrics({ register: registry })
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
  return { registry, close, request: (route, status) => requests.inc({ route, status: String(status) }) }
}
