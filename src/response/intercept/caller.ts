// Tells Node's own calls from those of a handler or a middleware, by the stack. That takes some microseconds, so it
// happens only while a reply is held.

/** The line of the stack that called `callee`. */
export function callerOf(callee: (this: never, ...args: never[]) => unknown): string {
  const { stackTraceLimit } = Error
  const at: { stack?: unknown } = {}
  Error.stackTraceLimit = 1
  Error.captureStackTrace(at, callee)
  Error.stackTraceLimit = stackTraceLimit
  return String(at.stack)
}

/** True when Node's own HTTP code called. */
export function calledByNode(callee: (this: never, ...args: never[]) => unknown): boolean {
  return /node:(_http_|internal\/http2)/.test(callerOf(callee))
}
