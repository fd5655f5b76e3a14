// Writes one line per judgement and builds the event for onVerdict from the same facts. An event has no field that
// could hold chat content.
import pino, { type DestinationStream, type LoggerOptions } from 'pino'
import type { Decision, Judgement, Logger, VerdictEvent } from '../types.js'
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
      paths: [
        'body',
        'messages',
        'prompt',
        'text',
        'input',
        'content',
        '*.body',
        '*.messages',
        '*.prompt',
        '*.text',
        '*.content',
        'req.headers.authorization',
        'headers.authorization',
        'apiKey',
        '*.apiKey',
      ],
      censor: '[redacted]',
    },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

/** The event of one stage. Milliseconds are those of the stage. Attempts and tokens are the sums over its checks. */
export function verdictEvent(
  requestId: string,
  dialect: string,
  decision: Decision,
  judgements: readonly Judgement[],
): VerdictEvent {
  const { outcome, error } = decision
  const event: Mutable<VerdictEvent> = {
    requestId,
    stage: decision.stage,
    dialect,
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
    if (tried !== undefined) attempts = (attempts ?? 0) + tried
    if (used?.input !== undefined) (tokens ??= {}).input = (tokens.input ?? 0) + used.input
    if (used?.output !== undefined) (tokens ??= {}).output = (tokens.output ?? 0) + used.output
  }
  if (attempts !== undefined) event.attempts = attempts
  if (tokens !== undefined) event.tokens = tokens
}

/**
 * The level follows the verdict: info for safe, warn for unsafe, error for unjudged, because the guard does not do
 * its work, debug for skipped.
 */
export function logVerdict(logger: Logger, event: VerdictEvent, reason?: string): void {
  if (event.verdict === 'skipped') logger.debug(event, 'not judged')
  else if (event.verdict === 'safe') logger.info(event, 'judged safe')
  else if (event.verdict === 'unsafe')
    logger.warn(event, event.action === 'block' ? 'blocked' : 'judged unsafe, let through')
  else
    logger.error(
      reason === undefined ? event : { ...event, reason },
      event.action === 'allow' ? 'could not judge, let through' : 'could not judge',
    )
}
