// Tells the check channel of one time the guards are asked. Errors of a guard from outside may quote what it was shown,
// so messages get their codes alone.
import type { Conversation, Judgement } from '../types.js'
import { checkChannel, type CheckMessage, type CheckResult } from './channels.js'

/** Costs one look when nobody listens. `ask` never rejects. */
export function tracedCheck<T extends Judgement | readonly Judgement[]>(
  about: () => Omit<CheckMessage, 'result'>,
  ask: () => Promise<T>,
  calledOff?: { readonly aborted: boolean },
): Promise<T> {
  if (!checkChannel.hasSubscribers) return ask()
  let answer: T | undefined
  const told = async (): Promise<CheckResult | undefined> => {
    answer = await ask()
    // A check that was called off says nothing about the guard or the text.
    if (calledOff?.aborted === true) return undefined
    return resultOf(Array.isArray(answer) ? (answer as readonly Judgement[]) : [answer as Judgement])
  }
  return checkChannel.tracePromise(told, about()).then(() => answer as T)
}

/** Characters of the turns that are judged, without their context. */
export function judgedChars(conversations: readonly Conversation[]): number {
  return conversations.reduce((sum, turns) => sum + (turns.at(-1)?.text.length ?? 0), 0)
}

function resultOf(judgements: readonly Judgement[]): CheckResult {
  const verdicts = judgements.flatMap((judgement) => ('verdict' in judgement ? judgement.verdict : []))
  const unsafe = verdicts.some(({ safe }) => !safe)
  const failed = judgements.flatMap((judgement) => ('error' in judgement ? judgement.error : []))[0]
  const sum = (count: (verdict: (typeof verdicts)[number]) => number | undefined): number =>
    verdicts.reduce((total, verdict) => total + (count(verdict) ?? 0), 0)
  const scores = verdicts.flatMap(({ score }) => score ?? [])
  const judgedBy = verdicts.find((verdict) => verdict.judgedBy !== undefined)?.judgedBy
  const bySmallGuard = judgements.filter(
    (judgement) =>
      'verdict' in judgement &&
      judgement.verdict.cached !== true &&
      judgement.verdict.judgedBy !== undefined &&
      // A cascade is named after both of its guards.
      judgement.model.startsWith(`${judgement.verdict.judgedBy}>`),
  ).length
  return {
    verdict: unsafe ? 'unsafe' : failed === undefined ? 'safe' : 'unjudged',
    categories: [...new Set(verdicts.flatMap(({ categories, unknown = [] }) => [...categories, ...unknown]))],
    ...(failed !== undefined && { code: failed.code }),
    ...(scores.length > 0 && { score: Math.max(...scores) }),
    ms: Math.max(0, ...judgements.map(({ ms }) => ms)),
    cached:
      verdicts.length > 0 && verdicts.length === judgements.length && verdicts.every(({ cached }) => cached === true),
    attempts: sum(({ attempts }) => attempts),
    tokens: { input: sum(({ tokens }) => tokens?.input), output: sum(({ tokens }) => tokens?.output) },
    ...(judgedBy !== undefined && { judgedBy }),
    ...(bySmallGuard > 0 && { bySmallGuard }),
  }
}
