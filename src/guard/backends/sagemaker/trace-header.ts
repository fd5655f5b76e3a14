// The trace of a call in AWS' own header, where the operator wants calls to guards in the traces. X-Ray writes a W3C
// trace id in two parts.
import { traceOfCall } from '../../../utils/active-trace.js'

/** Signature Version 4 leaves this header out, so it may be added to a request at any time. */
export function traceHeader(): Record<string, string> {
  const trace = traceOfCall()
  if (trace === undefined) return {}
  const { traceId, spanId, sampled } = trace
  const root = `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`
  return { 'x-amzn-trace-id': `Root=${root};Parent=${spanId};Sampled=${sampled ? 1 : 0}` }
}

/** Middleware of the SDK, for its step `build`. */
export function addTrace<A extends { readonly request: unknown }, R>(next: (args: A) => Promise<R>) {
  return (args: A): Promise<R> => {
    Object.assign((args.request as { headers: Record<string, string> }).headers, traceHeader())
    return next(args)
  }
}
