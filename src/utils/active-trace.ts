// The trace that the running code belongs to, for log lines and calls to guards. `express-llama-guard/otel` tells it,
// so that nothing else needs OpenTelemetry. By a global symbol, so that the ESM and the CommonJS copy of this package
// hear the same.

export interface ActiveTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  readonly sampled: boolean
}

export interface TraceSource {
  /** Undefined outside of a trace. Never throws. */
  current(): ActiveTrace | undefined
  /** True when calls to guards carry the trace. */
  readonly propagate: boolean
}

const KEY = Symbol.for('express-llama-guard.trace-source')
const holder = globalThis as { [KEY]?: TraceSource | undefined }

/** The newest source is asked. Returns what takes it away. */
export function setTraceSource(source: TraceSource): () => void {
  holder[KEY] = source
  return () => {
    if (holder[KEY] === source) holder[KEY] = undefined
  }
}

export function activeTrace(): ActiveTrace | undefined {
  return holder[KEY]?.current()
}

/** The trace that a call to a guard carries; undefined unless the operator asked for it. */
export function traceOfCall(): ActiveTrace | undefined {
  const source = holder[KEY]
  return source?.propagate === true ? source.current() : undefined
}

/** W3C Trace Context, `traceparent`. */
export function traceparent(): Record<string, string> {
  const trace = traceOfCall()
  return trace === undefined ? {} : { traceparent: `00-${trace.traceId}-${trace.spanId}-0${trace.sampled ? 1 : 0}` }
}
