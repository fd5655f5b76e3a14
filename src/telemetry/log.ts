// One line per judgement, and the same facts for onVerdict. Never any chat content: events have no field that could hold it.
import pino from 'pino'
import type { Decision, Judgement, Logger, VerdictEvent } from '../types.js'

/** The default logger: pino with redaction on, for the day a caller logs a request through it. */
export function defaultLogger(level: string): Logger {
  return pino({
    name: 'express-llama-guard',
    level,
    redact: { paths: ['body', 'messages', 'prompt', 'text', 'input', 'content', '*.body', '*.messages', '*.prompt', '*.text', '*.content', 'req.headers.authorization', 'headers.authorization', 'apiKey', '*.apiKey'], censor: '[redacted]' },
  })
}

/** What became of one stage, as an event. Milliseconds are the stage's, attempts and tokens the sum of its checks'. */
export function verdictEvent(requestId: string, dialect: string, decision: Decision, judgements: readonly Judgement[]): VerdictEvent {
  const verdicts = judgements.flatMap((judgement) => ('verdict' in judgement ? [judgement.verdict] : []))
  const attempts = sum(verdicts.map((verdict) => verdict.attempts))
  const input = sum(verdicts.map(({ tokens }) => tokens?.input))
  const output = sum(verdicts.map(({ tokens }) => tokens?.output))
  const { outcome } = decision
  return {
    requestId,
    stage: decision.stage,
    dialect,
    model: decision.model,
    verdict: outcome.state === 'skipped' ? 'safe' : outcome.state,
    action: decision.action,
    categories: decision.categories.map(({ code }) => code),
    ...(decision.error !== undefined && { code: decision.error.code }),
    ...(outcome.score !== undefined && { score: outcome.score }),
    ms: Math.round(decision.ms * 10) / 10,
    cached: outcome.cached === true,
    ...(attempts !== undefined && { attempts }),
    ...((input !== undefined || output !== undefined) && { tokens: { ...(input !== undefined && { input }), ...(output !== undefined && { output }) } }),
    ...(outcome.by !== undefined && { judgedBy: outcome.by }),
    checks: judgements.length,
  }
}

/** Safe is routine (info), unsafe is worth a look (warn), unjudged means the guard is not doing its work (error). */
export function logVerdict(logger: Logger, event: VerdictEvent, reason?: string): void {
  if (event.verdict === 'safe') logger.info(event, 'judged safe')
  else if (event.verdict === 'unsafe') logger.warn(event, event.action === 'block' ? 'blocked' : 'judged unsafe, let through')
  else logger.error(reason === undefined ? event : { ...event, reason }, event.action === 'allow' ? 'could not judge, let through' : 'could not judge')
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0)
}
