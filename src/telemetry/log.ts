// Writes one line per judgement and builds the event for onVerdict from the same facts. An event has no field that
// could hold chat content.
import pino, { type DestinationStream, type LoggerOptions } from 'pino'
import { isForeign, type LlamaGuardError } from '../types/errors.js'
import type { Decision, Judgement, Logger, RequestFields, VerdictEvent } from '../types.js'
import { activeTrace } from '../utils/active-trace.js'

/**
 * The default logger: pino. It redacts credentials, in case an app logs a request through it. It names the trace of a
 * line, where `instrument()` tells of one. `destination`: default standard output.
 */
export function defaultLogger(level: string, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    name: 'express-llama-guard',
    level,
    mixin() {
      const trace = activeTrace()
      return trace === undefined ? {} : { trace_id: trace.traceId, span_id: trace.spanId }
    },
    redact: {
      paths: (
        'body messages prompt text input content *.body *.messages *.prompt *.text *.content ' +
        'req.headers.authorization headers.authorization apiKey *.apiKey'
      ).split(' '),
      censor: '[redacted]',
    },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

type Child = Logger & { bindings?(): object }

/** False for what other middleware may keep in `req.log`. */
export function isLogger(log: Partial<Logger> | null | undefined): log is Logger {
  return (['debug', 'info', 'warn', 'error'] as const).every((level) => typeof log?.[level] === 'function')
}

/**
 * The logger without the whole request, which pino-http binds to `req.log` and which would stand on each line. A child
 * of pino's has its parent for a prototype; `requestId` is the request's own `id`.
 */
export function withoutRequest(log: Child): Logger {
  const parent = Object.getPrototypeOf(log) as Partial<Child> | null
  if (typeof parent?.bindings !== 'function' || typeof parent.info !== 'function') return log
  return 'req' in log.bindings!() && !('req' in parent.bindings()) ? (parent as Logger) : log
}

/** The logger without its errors. They become warnings, because the answer leaves all the same. */
export function withoutErrors(logger: Logger): Logger {
  const at =
    (level: keyof Logger): Logger['error'] =>
    (fields, message) => {
      try {
        // The type returns void, but an async function fits it too. Its rejection would end the process.
        const logged: unknown = logger[level](fields, message)
        if (logged instanceof Promise) logged.catch(warn)
      } catch (thrown) {
        warn(thrown)
      }
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** The message is left out, because it may quote what was to be logged. */
function warn(thrown: unknown): void {
  process.emitWarning(`The logger threw: ${describeError(thrown).name}`, 'LlamaGuardWarning')
}

interface LoggedRequest {
  readonly requestId: string
  readonly context: RequestFields | undefined
  readonly dialectName: string
}

/** The event of one stage. Milliseconds are those of the stage, tokens the sums over its checks. */
export function verdictEvent(
  { requestId, context, dialectName }: LoggedRequest,
  decision: Decision,
  judgements: readonly Judgement[],
): VerdictEvent {
  const { outcome, error } = decision
  const event: Mutable<VerdictEvent> = {
    requestId,
    ...(context !== undefined && { context }),
    stage: decision.stage,
    dialect: dialectName,
    model: decision.model,
    verdict: outcome.state,
    action: decision.action,
    categories: decision.categories.map(({ code }) => code),
    ms: Math.round(decision.ms * 10) / 10,
    cached: outcome.cached === true,
    checks: judgements.length,
  }
  if (error !== undefined) event.code = error.code
  if (outcome.why !== undefined) event.why = outcome.why
  if (outcome.score !== undefined) event.score = outcome.score
  if (outcome.by !== undefined) event.judgedBy = outcome.by
  addCost(event, judgements)
  return event
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Adds attempts and tokens. A count that no verdict carries is left out. */
function addCost(event: Mutable<VerdictEvent>, judgements: readonly Judgement[]): void {
  let attempts: number | undefined
  let tokens: { input?: number; output?: number } | undefined
  for (const judgement of judgements) {
    if (!('verdict' in judgement)) continue
    const { attempts: tried, tokens: used } = judgement.verdict
    if (tried !== undefined) attempts = Math.max(attempts ?? 0, tried)
    if (used?.input !== undefined) (tokens ??= {}).input = (tokens.input ?? 0) + used.input
    if (used?.output !== undefined) (tokens ??= {}).output = (tokens.output ?? 0) + used.output
  }
  if (attempts !== undefined) event.attempts = attempts
  if (tokens !== undefined) event.tokens = tokens
}

/**
 * The level follows the verdict: debug for safe and skipped, info for unsafe and for a client's own fault, error
 * for what the guard failed to judge.
 */
export function logVerdict(logger: Logger, event: VerdictEvent, error: LlamaGuardError | undefined): void {
  if (event.verdict === 'skipped') logger.debug(event, 'not judged')
  else if (event.verdict === 'safe') logger.debug(event, 'judged safe')
  else if (event.verdict === 'unsafe')
    logger.info(event, event.action === 'block' ? 'blocked' : 'judged unsafe, let through')
  else {
    const why = { ...event, ...(error !== undefined && failureOf(error)) }
    const words = event.action === 'allow' ? 'could not judge, let through' : 'could not judge'
    if (error?.clientFault) logger.info(why, words)
    else logger.error(why, words)
  }
}

/**
 * Why a check failed. Who is handed the chat may quote it in a message: of a cause come its name and code, and of an
 * error of the operator's own guard also the places in the code, but no message.
 */
function failureOf(error: LlamaGuardError): object {
  const { cause } = error
  const { name, code, message = '', stack = '' } = describeError(cause ?? error)
  const foreign = isForeign(error)
  // The message stands before the places, and may hold lines like them.
  const behind = stack.includes(message) ? stack.slice(stack.indexOf(message) + message.length) : ''
  const at = behind.split('\n').filter((line) => /^ {4}at [^\n]{0,500}:\d+:\d+\)?$/.test(line))
  return {
    ...(!foreign && { reason: error.message }),
    ...(cause !== undefined && {
      cause: {
        name: /^\w{1,64}$/.test(name) ? name : 'Error',
        ...((typeof code === 'number' || (typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code))) && { code }),
      },
    }),
    ...(foreign && at.length > 0 && { at }),
  }
}

/** Tells the operator that a function of theirs threw: the option, and the error with its stack. */
export function logHookError(logger: Logger, option: string, error: unknown, about: object = {}): void {
  logger.error({ ...about, option, error: describeError(error) }, `the option ${option} threw`)
}

/** Never throws, because the request would then have no answer. Each look at what was thrown may throw. */
function describeError(error: unknown): { name: string; message?: string; stack?: string | undefined; code?: unknown } {
  try {
    // String() calls a method of an object, which may throw or be missing.
    if (!(error instanceof Error))
      return { name: typeof error, message: typeof error === 'string' ? error : Object.prototype.toString.call(error) }
    const { message, stack, code } = error as NodeJS.ErrnoException
    const name: unknown = error.name
    // `Error.prepareStackTrace` of an app may make a stack a list.
    return {
      name: String(name),
      message,
      ...(typeof stack === 'string' && { stack }),
      ...(code !== undefined && { code }),
    }
  } catch {
    return { name: typeof error }
  }
}
