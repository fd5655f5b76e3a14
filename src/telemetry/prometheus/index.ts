// `express-llama-guard/prometheus`: a handler for /metrics that counts what all guards of this process publish.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { register as globalRegister, type Registry } from 'prom-client'
import { CHANNELS, checkChannel, type CheckMessage, type RequestMessage } from '../channels.js'
import type { ShadowMessage, VerdictMessage } from '../channels.js'
import { createCollectors } from './collectors.js'

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
  const collectors = createCollectors(register)
  const verdict = (message: unknown): void => collectors.verdict(message as VerdictMessage)
  const request = (message: unknown): void => collectors.request(message as RequestMessage)
  const shadow = (message: unknown): void => collectors.shadow(message as ShadowMessage)
  const check = { asyncEnd: (message: unknown): void => collectors.check(message as CheckMessage) }
  return () => {
    subscribe(CHANNELS.verdict, verdict)
    subscribe(CHANNELS.request, request)
    subscribe(CHANNELS.shadow, shadow)
    checkChannel.subscribe(check as never)
    return () => {
      unsubscribe(CHANNELS.verdict, verdict)
      unsubscribe(CHANNELS.request, request)
      unsubscribe(CHANNELS.shadow, shadow)
      checkChannel.unsubscribe(check as never)
    }
  }
}
