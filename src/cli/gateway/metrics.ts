// The gateway's metrics: those of its guard and of the process. prom-client is an optional peer.
import { isLlamaGuardError } from '../../types/errors.js'
import { peer } from '../io.js'

export type GatewayMetrics = NonNullable<Awaited<ReturnType<typeof metricsOf>>>

/** Undefined where prom-client is not installed. */
export async function metricsOf() {
  const prom = await peer('prom-client', '/metrics', async () => ({
    ...(await import('prom-client')),
    ...(await import('../../telemetry/prometheus/index.js')),
  })).catch((error: unknown) => {
    if (isLlamaGuardError(error)) return undefined
    throw error
  })
  if (prom === undefined) return undefined
  const register = new prom.Registry()
  prom.collectDefaultMetrics({ register })
  const { close } = prom.metrics({ register })
  return { contentType: register.contentType, read: () => register.metrics(), close }
}
