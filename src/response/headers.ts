// The two headers we add: Llama-Guard (an RFC 9651 dictionary) and Server-Timing.
import type { Decision, Outcome } from '../types.js'
import type { ServerResponse } from 'node:http'

/** The headers that tell what became of each stage. Stages without a decision are left out. */
export function verdictHeaders(decisions: readonly (Decision | undefined)[]): Record<string, string> {
  const made = decisions.filter((decision) => decision !== undefined)
  if (made.length === 0) return {}
  const timings = made.filter(({ outcome }) => outcome.state !== 'skipped').map(({ stage, ms }) => `guard-${stage};dur=${ms.toFixed(1)}`)
  return {
    'llama-guard': made.map((decision) => `${decision.stage}=${member(decision.outcome, decision)}`).join(', '),
    ...(timings.length > 0 && { 'server-timing': timings.join(', ') }),
  }
}

/** Adds them to a reply that is allowed. The handler's own Server-Timing stays. */
export function setVerdictHeaders(res: ServerResponse, decisions: readonly (Decision | undefined)[]): void {
  const { 'llama-guard': verdicts, 'server-timing': timings } = verdictHeaders(decisions)
  if (verdicts !== undefined) res.setHeader('Llama-Guard', verdicts)
  if (timings !== undefined) res.appendHeader('Server-Timing', timings)
}

function member(outcome: Outcome, { categories }: Decision): string {
  const parameters: string[] = []
  if (outcome.state === 'unsafe' && categories.length > 0) parameters.push(`cat=${quoted(categories.map(({ code }) => code).join(','))}`)
  if (outcome.code !== undefined) parameters.push(`code=${quoted(outcome.code)}`)
  // RFC 9651 decimals carry at most three digits after the point.
  if (outcome.score !== undefined) parameters.push(`score=${Number(outcome.score.toFixed(3))}`)
  if (outcome.cached) parameters.push('cached')
  if (outcome.by !== undefined) parameters.push(`by=${quoted(outcome.by)}`)
  return [outcome.state, ...parameters].join(';')
}

/** An RFC 9651 string: printable ASCII only, quotes and backslashes escaped. */
function quoted(value: string): string {
  return `"${value.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`
}
