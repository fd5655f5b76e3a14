// The two headers that the guard adds: Llama-Guard (an RFC 9651 dictionary) and Server-Timing.
import type { Decision, Expose, GuardedRequest, Outcome } from '../types.js'
import type { ServerResponse } from 'node:http'
import { stricter } from '../utils/stricter.js'
import { asGuard } from './intercept/chain.js'

/** The headers that report the decision of each stage. A stage without a decision is left out. */
export function verdictHeaders(decisions: readonly (Decision | undefined)[], expose?: Expose): Record<string, string> {
  const verdicts = verdictsOf(decisions, expose)
  const timings = timingsOf(decisions, expose)
  return { ...(verdicts !== '' && { 'llama-guard': verdicts }), ...(timings !== '' && { 'server-timing': timings }) }
}

/**
 * Adds the headers to an allowed reply. The handler's own Server-Timing stays. Where several mounts guard the request,
 * each stage is reported by the strictest of them.
 */
export function setVerdictHeaders(res: ServerResponse, own: readonly (Decision | undefined)[], expose?: Expose): void {
  const known = (res.req as GuardedRequest | undefined)?.llamaGuard
  const decisions = own.map((decision) => decision && stricter(decision, known?.[decision.stage]))
  const verdicts = verdictsOf(decisions, expose)
  const timings = timingsOf(decisions, expose)
  if (verdicts === '') return
  // The handler has committed its head, so only the guard can still change it.
  asGuard(res, () => {
    res.setHeader('Llama-Guard', verdicts)
    if (timings !== '') res.appendHeader('Server-Timing', timings)
  })
}

function verdictsOf(decisions: readonly (Decision | undefined)[], expose?: Expose): string {
  if (expose === 'none') return ''
  let list = ''
  for (const decision of decisions) {
    if (decision !== undefined)
      list += `${list === '' ? '' : ', '}${decision.stage}=${member(decision.outcome, decision, expose)}`
  }
  return list
}

function timingsOf(decisions: readonly (Decision | undefined)[], expose?: Expose): string {
  if (expose !== 'full') return ''
  let list = ''
  for (const decision of decisions) {
    if (decision !== undefined && decision.outcome.state !== 'skipped')
      list += `${list === '' ? '' : ', '}guard-${decision.stage};dur=${decision.ms.toFixed(1)}`
  }
  return list
}

function member({ state, code, why, score, cached, by }: Outcome, { categories }: Decision, expose?: Expose): string {
  let text: string = state
  if (state === 'unsafe' && categories.length > 0)
    text += `;cat=${quoted(categories.map(({ code: id }) => id).join(','))}`
  if (code !== undefined) text += `;code=${quoted(code)}`
  if (why !== undefined) text += `;why=${quoted(why)}`
  if (expose !== 'full') return text
  // RFC 9651 decimals carry at most three digits after the point.
  if (score !== undefined) text += `;score=${Number(score.toFixed(3))}`
  if (cached) text += ';cached'
  if (by !== undefined) text += `;by=${quoted(by)}`
  return text
}

/** An RFC 9651 string: printable ASCII only, quotes and backslashes escaped. */
function quoted(value: string): string {
  return `"${value.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`
}
