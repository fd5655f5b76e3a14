// Asks the operator's hook `onToolCall`. Its "block" is an unsafe verdict, and its failure a judgement that failed, so
// that the policy, the refusal, the log and telemetry treat them as those of a guard.
import { LlamaGuardError, isLlamaGuardError } from '../types/errors.js'
import type { LlamaGuardOptions } from '../options/index.js'
import { TOOL_CALL } from '../policy.js'
import type { GuardedRequest, Judgement, ToolCall } from '../types.js'
import { type AbortSignalLike, within } from '../utils/deadline.js'

export interface Asked {
  readonly hook: NonNullable<LlamaGuardOptions['onToolCall']>
  readonly req: GuardedRequest
  readonly signal: AbortSignalLike
  readonly timeoutMs: number
  /** Told of what the hook threw. */
  readonly failed: (error: unknown) => void
}

/** Undefined for a call that is allowed. Never rejects. */
export async function askToolCall(call: ToolCall, asked: Asked): Promise<Judgement | undefined> {
  const { hook, req, signal, timeoutMs: ms, failed } = asked
  const started = performance.now()
  const told = (part: Pick<Judgement & { verdict: unknown }, 'verdict'> | { error: LlamaGuardError }): Judgement =>
    ({ ...part, ms: performance.now() - started, model: 'onToolCall' }) as Judgement
  const late = (): LlamaGuardError =>
    new LlamaGuardError('guard_timeout', `The hook onToolCall did not answer within ${ms} ms (timeoutMs).`)
  try {
    const answer: unknown = await within({ ms, signal, late }, () => hook(call, req))
    if (answer === 'allow') return undefined
    if (answer === 'block') return told({ verdict: { safe: false, categories: [TOOL_CALL.id] } })
    throw new TypeError("onToolCall(call, req) has to return 'allow' or 'block', or a promise of one")
  } catch (cause) {
    if (!signal.aborted) failed(cause)
    const timeout = isLlamaGuardError(cause) && cause.code === 'guard_timeout'
    return told({ error: timeout ? cause : new LlamaGuardError('internal_error', undefined, { cause }) })
  }
}
