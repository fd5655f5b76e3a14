// A second guard on trial: it judges a sample of the traffic, and its verdicts are only compared and told,
// never acted on.
import { toLlamaGuardError } from '../errors.js'
import type { Conversation, Guard, Judgement, Logger, Stage, Verdict } from '../types.js'
import { anyUnsafeOf } from './merge-verdicts.js'
import { resilient } from './resilience/index.js'
import { piecesOf } from './pieces.js'

/** One side of a comparison. Holds no chat content. */
export interface ComparedVerdict {
  readonly model: string
  readonly verdict: 'safe' | 'unsafe' | 'unjudged'
  readonly categories: readonly string[]
  readonly score?: number
  /** Error code, when unjudged. */
  readonly code?: string
  readonly ms: number
}

export interface CompareEvent {
  readonly stage: Stage
  /** Both judged, and both said safe or both unsafe. */
  readonly agree: boolean
  readonly primary: ComparedVerdict
  readonly shadow: ComparedVerdict
}

export interface ShadowOptions {
  readonly guard: Guard
  /** Share of judgements to compare, 0 to 1. */
  readonly rate: number
  onCompare?(event: CompareEvent): void
}

export interface Shadow {
  /** Perhaps judges beside the judge; never throws, never delays, drops what it has no room for. */
  watch(conversation: Conversation, stage: Stage, primary: Promise<Judgement>): void
}

/** Trials must not compete with the real guard for sockets and CPU. */
const AT_ONCE = 16

export function createShadow({ guard, rate, onCompare }: ShadowOptions, timeoutMs: number, logger?: Logger): Shadow {
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
    watch(conversation, stage, primary) {
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
