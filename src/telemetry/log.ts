// One line per judgement, and the same facts for onVerdict. Never any chat content: events have no field that
// could hold it.
import pino from 'pino'
import type { Decision, Judgement, Logger, VerdictEvent } from '../types.js'

/** The default logger: pino with redaction on, for the day a caller logs a request through it. */
export function defaultLogger(level: string): Logger {
  return pino({
    name: 'express-llama-guard',
    level,
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
  })
}

/** What became of one stage, as an event. Milliseconds are the stage's, attempts and tokens the sum of its checks'. */
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

/** Adds nothing where no verdict tells. */
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
 * Safe is routine (info), unsafe is worth a look (warn), unjudged means the guard is not doing its work (error). What
 * was skipped on purpose is there for those who look for it (debug).
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
