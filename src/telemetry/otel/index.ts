// `express-llama-guard/otel`: spans and metrics for OpenTelemetry, made from what the guards of this process publish.
// Needs the package @opentelemetry/api, and an SDK of the app's own to export anything.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  context,
  metrics as metricsApi,
  type MeterProvider,
  type Span,
  SpanStatusCode,
  trace,
  type TracerProvider,
} from '@opentelemetry/api'
import { CHANNELS, checkChannel, type CheckMessage, type NotJudgedMessage } from '../channels.js'
import type { RequestMessage, VerdictMessage } from '../channels.js'
import type { Stage } from '../../types.js'
import {
  CHECK_EVENT,
  checkAttributes,
  endAttributes,
  metricAttributes,
  METRICS,
  NOT_JUDGED_EVENT,
  notJudgedAttributes,
  SCOPE,
  spanName,
  startAttributes,
} from './names.js'

export interface InstrumentOptions {
  /** Default: the API's global one. */
  readonly tracerProvider?: TracerProvider
  /** Default: the API's global one. */
  readonly meterProvider?: MeterProvider
}

/** Checks of one stage that become events of its span; `llama_guard.checks` counts them all. */
const MAX_EVENTS = 32

interface Open {
  readonly span: Span
  events: number
}
type OpenSpans = { [S in Stage]?: Open }

/**
 * From now on each stage that is judged is a span, a child of the span that is active in the request (the HTTP
 * server's), with its checks as events; what passes unjudged is an event of the active span. No chat content. Returns
 * what stops it.
 *
 * @example const stop = instrument()
 */
export function instrument({ tracerProvider, meterProvider }: InstrumentOptions = {}): () => void {
  const tracer = (tracerProvider ?? trace).getTracer(SCOPE)
  const meter = (meterProvider ?? metricsApi).getMeter(SCOPE)
  const duration = meter.createHistogram(METRICS.duration, { unit: 's' })
  const judgements = meter.createCounter(METRICS.judgements)
  const notJudgedCount = meter.createCounter(METRICS.notJudged)
  const open = new WeakMap<object, OpenSpans>()

  const start = (message: CheckMessage | VerdictMessage): Open => {
    const { stage, model, request } = message
    const attributes = startAttributes(message)
    const started = { span: tracer.startSpan(spanName(model), { attributes }, context.active()), events: 0 }
    const spans = open.get(request) ?? {}
    spans[stage] = started
    open.set(request, spans)
    return started
  }

  const check = {
    start(message: CheckMessage): void {
      if (open.get(message.request)?.[message.stage] === undefined) start(message)
    },
    asyncEnd({ request, stage, result }: CheckMessage): void {
      const stageSpan = open.get(request)?.[stage]
      if (stageSpan === undefined || result === undefined || stageSpan.events++ >= MAX_EVENTS) return
      stageSpan.span.addEvent(CHECK_EVENT, checkAttributes(result))
    },
  }
  const verdict = (message: VerdictMessage): void => {
    const { request, stage, ms, code } = message
    // What failed before a guard was asked has no span yet.
    const { span } = open.get(request)?.[stage] ?? start(message)
    span.setAttributes(endAttributes(message))
    if (code !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: code })
    span.end()
    delete open.get(request)?.[stage]
    const attributes = metricAttributes(message)
    duration.record(ms / 1000, attributes)
    judgements.add(1, attributes)
  }
  const notJudged = ({ stage, what, count }: NotJudgedMessage): void => {
    trace.getActiveSpan()?.addEvent(NOT_JUDGED_EVENT, notJudgedAttributes({ what, count }, stage))
    notJudgedCount.add(count, { 'llama_guard.reason': what })
  }
  // A client that left before its verdict: the span ends with the request.
  const over = ({ request }: RequestMessage): void => {
    for (const left of Object.values(open.get(request) ?? {})) left.span.end()
    open.delete(request)
  }

  const listeners = [
    [CHANNELS.verdict, verdict as (message: unknown) => void],
    [CHANNELS.notJudged, notJudged as (message: unknown) => void],
    [CHANNELS.request, over as (message: unknown) => void],
  ] as const
  for (const [name, listener] of listeners) subscribe(name, listener)
  checkChannel.subscribe(check as never)
  return () => {
    for (const [name, listener] of listeners) unsubscribe(name, listener)
    checkChannel.unsubscribe(check as never)
  }
}
