// One span for each judged stage, from its first check to its verdict, with the checks as events.
import { context, type Span, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import type { CheckMessage, RequestMessage, VerdictMessage } from '../channels.js'
import type { Stage } from '../../types.js'
import { CHECK_EVENT, checkAttributes, endAttributes, spanName, startAttributes } from './names.js'

/** Checks of one stage that become events of its span; `llama_guard.checks` counts them all. */
const MAX_EVENTS = 32

interface Open {
  readonly span: Span
  events: number
}

export class StageSpans {
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
