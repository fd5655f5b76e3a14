// `express-llama-guard/otel`: spans and metrics for OpenTelemetry, made from what the guards of this process publish.
// Needs the package @opentelemetry/api, and an SDK of the app's own to export anything.
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  isSpanContextValid,
  metrics as metricsApi,
  type MeterProvider,
  trace,
  TraceFlags,
  type TracerProvider,
} from '@opentelemetry/api'
import { CHANNELS, checkChannel, type CheckMessage, type NotJudgedMessage } from '../channels.js'
import type { RequestMessage, ShadowMessage, VerdictMessage } from '../channels.js'
import { type ActiveTrace, setTraceSource } from '../../utils/active-trace.js'
import { comparedAttributes, metricAttributes, METRICS, NOT_JUDGED_EVENT, notJudgedAttributes, SCOPE } from './names.js'
import { quiet, quietly } from './quiet.js'
import { StageSpans } from './stage-spans.js'

export interface InstrumentOptions {
  /** Default: the API's global one. */
  readonly tracerProvider?: TracerProvider
  /** Default: the API's global one. */
  readonly meterProvider?: MeterProvider
  /**
   * Sends the trace with calls to guards: `x-amzn-trace-id` to SageMaker, `traceparent` to an OpenAI-compatible
   * server. Default: false, trace ids stay in this process.
   */
  readonly propagate?: boolean
}

/**
 * From now on each stage that is judged is a span, a child of the span that is active in the request (the HTTP
 * server's), with its checks as events; what passes unjudged is an event of the active span; and lines of the default
 * logger have `trace_id` and `span_id`. No chat content. Errors of the SDK never reach a request. Returns what stops
 * it.
 *
 * @example const stop = instrument()
 */
export function instrument({ tracerProvider, meterProvider, propagate = false }: InstrumentOptions = {}): () => void {
  const spans = new StageSpans((tracerProvider ?? trace).getTracer(SCOPE))
  const meter = (meterProvider ?? metricsApi).getMeter(SCOPE)
  const duration = meter.createHistogram(METRICS.duration, { unit: 's' })
  const judgements = meter.createCounter(METRICS.judgements)
  const notJudgedCount = meter.createCounter(METRICS.notJudged)
  const comparisons = meter.createCounter(METRICS.comparisons)

  const verdict = (message: VerdictMessage): void => {
    quietly(() => spans.verdict(message))
    const attributes = metricAttributes(message)
    duration.record(message.ms / 1000, attributes)
    judgements.add(1, attributes)
  }
  const notJudged = ({ stage, what, count }: NotJudgedMessage): void => {
    quietly(() => trace.getActiveSpan()?.addEvent(NOT_JUDGED_EVENT, notJudgedAttributes({ what, count }, stage)))
    notJudgedCount.add(count, { 'llama_guard.reason': what })
  }
  const listeners = [
    [CHANNELS.verdict, quiet(verdict)],
    [CHANNELS.notJudged, quiet(notJudged)],
    [CHANNELS.request, quiet((message: RequestMessage) => spans.over(message))],
    [CHANNELS.shadow, quiet((message: ShadowMessage) => comparisons.add(1, comparedAttributes(message)))],
  ] as const
  const check = {
    start: quiet((message: CheckMessage) => spans.checkStarts(message)),
    asyncEnd: quiet((message: CheckMessage) => spans.checkEnds(message)),
  }
  /** The check within which a guard is called. */
  const checking = new AsyncLocalStorage<CheckMessage>()
  const current = (): ActiveTrace | undefined => {
    let found: ActiveTrace | undefined
    quietly(() => {
      const message = checking.getStore()
      const span = (message && spans.of(message)) ?? trace.getActiveSpan()
      const about = span?.spanContext()
      if (about === undefined || !isSpanContextValid(about)) return
      const { traceId, spanId, traceFlags } = about
      found = { traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 }
    })
    return found
  }

  for (const [name, listener] of listeners) subscribe(name, listener)
  checkChannel.subscribe(check as never)
  if (propagate) checkChannel.start.bindStore(checking, (message) => message)
  const forget = setTraceSource({ current, propagate })
  return () => {
    forget()
    for (const [name, listener] of listeners) unsubscribe(name, listener)
    checkChannel.unsubscribe(check as never)
    if (propagate) checkChannel.start.unbindStore(checking)
  }
}
