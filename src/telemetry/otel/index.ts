// `express-llama-guard/otel`: spans and metrics for OpenTelemetry, made from what the guards of this process publish.
// Needs the package @opentelemetry/api, and an SDK of the app's own to export anything.
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Attributes,
  context,
  diag,
  isSpanContextValid,
  type MeterProvider,
  metrics as metricsApi,
  type Span,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api'
import { type ActiveTrace, setTraceSource } from '../../utils/active-trace.js'
import type { NotJudged, Stage, VerdictEvent } from '../../types.js'
import {
  checkChannel,
  listen,
  type CheckMessage,
  type CheckResult,
  type NotJudgedMessage,
  type RequestMessage,
  type ShadowMessage,
  type VerdictMessage,
} from '../channels.js'

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

  const stop = listen({
    verdict: quiet(verdict),
    notJudged: quiet(notJudged),
    request: quiet((message: RequestMessage) => spans.over(message)),
    shadow: quiet((message: ShadowMessage) => comparisons.add(1, comparedAttributes(message))),
    check: {
      start: quiet((message: CheckMessage) => spans.checkStarts(message)),
      asyncEnd: quiet((message: CheckMessage) => spans.checkEnds(message)),
    },
  })
  if (propagate) checkChannel.start.bindStore(checking, (message) => message)
  const forget = setTraceSource({ current, propagate })
  return () => {
    forget()
    stop()
    if (propagate) checkChannel.start.unbindStore(checking)
  }
}

/** Checks of one stage that become events of its span; `llama_guard.checks` counts them all. */
const MAX_EVENTS = 32

interface Open {
  readonly span: Span
  events: number
}

/** One span for each judged stage, from its first check to its verdict, with the checks as events. */
class StageSpans {
  readonly #tracer: Tracer
  readonly #open = new WeakMap<object, { [S in Stage]?: Open }>()

  constructor(tracer: Tracer) {
    this.#tracer = tracer
  }

  /** The span of a check that is going on. */
  of({ request, stage }: CheckMessage): Span | undefined {
    return this.#open.get(request)?.[stage]?.span
  }

  checkStarts(message: CheckMessage): void {
    if (this.#open.get(message.request)?.[message.stage] === undefined) this.#start(message)
  }

  checkEnds({ request, stage, result }: CheckMessage): void {
    const open = this.#open.get(request)?.[stage]
    if (open === undefined || result === undefined || open.events++ >= MAX_EVENTS) return
    open.span.addEvent(CHECK_EVENT, checkAttributes(result))
  }

  verdict(message: VerdictMessage): void {
    const { request, stage, code } = message
    // What failed before a guard was asked has no span yet.
    const { span } = this.#open.get(request)?.[stage] ?? this.#start(message)
    delete this.#open.get(request)?.[stage]
    span.setAttributes(endAttributes(message))
    if (code !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: code })
    span.end()
  }

  /** A client that left before its verdict: the span ends with the request. */
  over({ request }: RequestMessage): void {
    const open = Object.values(this.#open.get(request) ?? {})
    this.#open.delete(request)
    for (const { span } of open) span.end()
  }

  #start(message: CheckMessage | VerdictMessage): Open {
    const { stage, model, request } = message
    const attributes = startAttributes(message)
    const started = { span: this.#tracer.startSpan(spanName(model), { attributes }, context.active()), events: 0 }
    const spans = this.#open.get(request) ?? {}
    spans[stage] = started
    this.#open.set(request, spans)
    return started
  }
}

const SCOPE = 'express-llama-guard'
const CHECK_EVENT = 'llama_guard.check'
const NOT_JUDGED_EVENT = 'llama_guard.not_judged'
const METRICS = {
  duration: 'llama_guard.judgement.duration',
  judgements: 'llama_guard.judgements',
  notJudged: 'llama_guard.not_judged',
  comparisons: 'llama_guard.shadow.comparisons',
} as const

const spanName = (model: string): string => `apply_guardrail ${model}`

type About = Pick<CheckMessage, 'stage' | 'dialect' | 'model' | 'requestId' | 'context'> & { readonly backend: string }

function startAttributes({ stage, dialect, backend, model, requestId, context = {} }: About): Attributes {
  return {
    'gen_ai.operation.name': 'apply_guardrail',
    'gen_ai.provider.name': backend,
    'gen_ai.request.model': model,
    'gen_ai.guardrail.name': model,
    'gen_ai.guardrail.target': stage,
    'llama_guard.request_id': requestId,
    'llama_guard.dialect': dialect,
    ...Object.fromEntries(Object.entries(context).map(([name, value]) => [`llama_guard.context.${name}`, value])),
  }
}

/** Verdicts and category ids are the guard's own words. */
function endAttributes(message: VerdictMessage): Attributes {
  const { verdict, action, categories, score, checks, cached, attempts, tokens, judgedBy, mode, stream, ms } = message
  return {
    'gen_ai.guardrail.decision': verdict,
    'gen_ai.guardrail.action': action,
    'gen_ai.guardrail.categories': [...categories],
    'gen_ai.guardrail.score': score,
    'gen_ai.usage.input_tokens': tokens?.input,
    'gen_ai.usage.output_tokens': tokens?.output,
    'error.type': message.code,
    'llama_guard.checks': checks,
    'llama_guard.cached': cached,
    'llama_guard.attempts': attempts,
    'llama_guard.judged_by': judgedBy,
    'llama_guard.mode': mode,
    'llama_guard.stream': stream,
    'llama_guard.ms': ms,
  }
}

function checkAttributes({ verdict, code, ms, cached }: CheckResult): Attributes {
  return {
    'llama_guard.verdict': verdict,
    'llama_guard.ms': ms,
    'llama_guard.cached': cached,
    ...(code !== undefined && { 'error.type': code }),
  }
}

function notJudgedAttributes({ what, count }: NotJudged, stage: Stage): Attributes {
  return { 'llama_guard.reason': what, 'llama_guard.count': count, 'gen_ai.guardrail.target': stage }
}

/** Closed sets alone. */
function metricAttributes({ stage, verdict, action }: Pick<VerdictEvent, 'stage' | 'verdict' | 'action'>): Attributes {
  return { 'gen_ai.guardrail.target': stage, 'gen_ai.guardrail.decision': verdict, 'gen_ai.guardrail.action': action }
}

/** What the guard and the one on trial said. */
function comparedAttributes({ stage, primary, shadow }: ShadowMessage): Attributes {
  return {
    'gen_ai.guardrail.target': stage,
    'llama_guard.primary': primary.verdict,
    'llama_guard.shadow': shadow.verdict,
  }
}

/**
 * Calls `step`. A channel would make an error of an OpenTelemetry SDK an uncaught exception, which ends the process. It
 * is told to OpenTelemetry's own diagnostics by its name; its message may hold anything. */
function quietly(step: () => void): void {
  try {
    step()
  } catch (error) {
    try {
      diag.warn(`express-llama-guard: telemetry failed with ${error instanceof Error ? error.name : typeof error}`)
    } catch {
      // A logger that fails too has nobody left to tell.
    }
  }
}

function quiet<T>(listener: (message: T) => void): (message: unknown) => void {
  return (message) => quietly(() => listener(message as T))
}
