// A second guard on trial. It judges a sample of the traffic. Its verdicts are compared and reported, but they never
// change a decision.
import { toLlamaGuardError } from '../types/errors.js'
import type { ComparedVerdict, CompareEvent, Conversation, Guard, Judgement, Logger, Stage, Verdict } from '../types.js'
import { resilient } from './resilience/index.js'
import { anyUnsafeOf, piecesOf } from './pieces.js'

export interface ShadowOptions {
  readonly guard: Guard
  /** The share of judgements to compare, 0 to 1. */
  readonly rate: number
  onCompare?(event: CompareEvent): void
}

/** The most comparisons at once, so that a trial does not compete with the real guard for sockets and CPU. */
const AT_ONCE = 16

export function createShadow({ guard, rate, onCompare }: ShadowOptions, timeoutMs: number, logger?: Logger) {
  const member = resilient(guard, { timeoutMs, maxAttempts: 1, concurrency: AT_ONCE, queue: 0, breaker: true })
  const model = guard.model ?? 'custom'
  const ask = async (conversation: Conversation, stage: Stage): Promise<Verdict> => {
    const pieces = piecesOf(guard, conversation, stage)
    const request = {}
    return anyUnsafeOf(
      pieces.map((piece) => (signal) => member.judge(piece, { signal, stage, request })),
      { blocks: (verdict) => !verdict.safe },
    )
  }
  const compare = async (conversation: Conversation, stage: Stage, judgement: Promise<Judgement>): Promise<void> => {
    const started = performance.now()
    const shadow = await ask(conversation, stage).then(
      (verdict) => compared({ verdict, model, ms: performance.now() - started }),
      (error: unknown) =>
        compared({ error: toLlamaGuardError(error, 'guard_error'), model, ms: performance.now() - started }),
    )
    const primary = compared(await judgement)
    const agree = primary.verdict !== 'unjudged' && primary.verdict === shadow.verdict
    const event: CompareEvent = { stage, agree, primary, shadow }
    logger?.[agree ? 'debug' : 'info']({ ...event }, agree ? 'shadow guard agrees' : 'shadow guard differs')
    onCompare?.(event)
  }
  return {
    /** Judges a sample. Never throws and never delays. A conversation for which there is no room is dropped. */
    watch(conversation: Conversation, stage: Stage, primary: Promise<Judgement>): void {
      if (Math.random() >= rate) return
      compare(conversation, stage, primary).catch((error: unknown) => logger?.warn({ err: error }, 'onCompare threw'))
    },
  }
}

function compared(judgement: Judgement): ComparedVerdict {
  const { model, ms } = judgement
  if ('error' in judgement) return { model, verdict: 'unjudged', categories: [], code: judgement.error.code, ms }
  const { safe, categories, score } = judgement.verdict
  return { model, verdict: safe ? 'safe' : 'unsafe', categories, ms, ...(score !== undefined && { score }) }
}
