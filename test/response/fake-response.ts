// A response whose every step is written down, and a request around it whose verdicts the test gives: what a hold
// does in which order, where the wire shows only the end.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { openaiChat } from '../../src/dialects/openai-chat.js'
import { LlamaGuardError, toLlamaGuardError } from '../../src/types/errors.js'
import type { Hold, ReplyContext, ResponseController } from '../../src/response/context.js'
import { decide, decideError, type PolicySettings } from '../../src/policy.js'
import type { Decision, Judgement, NotJudgedReason } from '../../src/types.js'

/** It keeps nothing and answers nothing. */
export const IDLE: Hold = { write: () => undefined, end: () => undefined, fail: () => undefined, gone: () => undefined }

export interface FakeResponse extends ResponseController {
  /** What was called, in order: `release <text>`, `finish`, `refuse 451`, `cut <text>`, ... */
  readonly steps: string[]
}

export function fakeResponse(options: { status?: number; headers?: Record<string, string> } = {}): FakeResponse {
  const steps: string[] = []
  const res = new ServerResponse(new IncomingMessage(new Socket()))
  res.statusCode = options.status ?? 200
  for (const [name, value] of Object.entries(options.headers ?? {})) res.setHeader(name, value)
  return {
    steps,
    res,
    release: (chunk) => steps.push(`release ${chunk.toString()}`) > 0,
    finish: (chunk) => void steps.push(chunk === undefined ? 'finish' : `finish ${chunk.toString()}`),
    refuse: (status) => void steps.push(`refuse ${status}`),
    cut: (last) => void steps.push(`cut ${last}`),
    destroy: () => void steps.push('destroy'),
    abandon: () => void steps.push('abandon'),
    open: () => void steps.push('open'),
    drained: () => void steps.push('drained'),
  }
}

export interface FakeContext extends ReplyContext {
  /** Texts that were judged, each with the way to answer. */
  readonly checks: { readonly text: string; answer(verdict: 'safe' | 'unsafe' | 'error'): Promise<void> }[]
  readonly recorded: Decision[]
  aborted: number
  /** With `parallel`: tells the verdict on the input. */
  openGate(allowed: boolean): Promise<void>
}

const CATEGORIES = [{ id: 'O3', name: 'Criminal Planning' }]
const settled = (): Promise<void> => nextTurn()

export function fakeContext(
  exit: ResponseController,
  options: Partial<ReplyContext['settings']> & {
    parallel?: boolean
    maxReplyBytes?: number
    onError?: PolicySettings['onError']
    dialect?: ReplyContext['dialect']
    skips?: NotJudgedReason
  } = {},
): FakeContext {
  const {
    parallel = false,
    maxReplyBytes = 1 << 22,
    onError = 'closed',
    dialect = openaiChat,
    skips,
    ...settings
  } = options
  const policy: PolicySettings = { mode: 'enforce', onError }
  let open: (allowed: boolean) => void = () => undefined
  const checks: FakeContext['checks'] = []
  const recorded: Decision[] = []
  const context: FakeContext = {
    res: exit.res,
    dialect,
    requestId: 'r',
    settings: { streaming: 'window', windowChars: 400, windowMs: 1000, ...settings },
    maxReplyBytes,
    pace: { join: () => () => undefined, turn: (windowMs) => performance.now() + windowMs, took: () => undefined },
    skips: () => skips,
    input: undefined,
    strictest: (decision) => decision,
    gate: parallel ? new Promise<boolean>((resolve) => (open = resolve)) : undefined,
    checks,
    asked: undefined,
    recorded,
    aborted: 0,
    judgeReply: (text) =>
      new Promise<Judgement>((resolve) =>
        checks.push({
          text,
          async answer(verdict) {
            resolve(
              verdict === 'error'
                ? { error: new LlamaGuardError('guard_timeout'), ms: 1, model: 'fake' }
                : {
                    verdict: { safe: verdict === 'safe', categories: verdict === 'safe' ? [] : ['O3'] },
                    ms: 1,
                    model: 'fake',
                  },
            )
            await settled()
          },
        }),
      ),
    decide: (stage, judgements) => decide(stage, judgements, policy, CATEGORIES),
    decideError: (stage, error) => decideError(stage, toLlamaGuardError(error), policy, 'fake'),
    record: (decision) => {
      recorded.push(decision)
      return decision
    },
    abort: () => void (context.aborted += 1),
    async openGate(allowed) {
      open(allowed)
      await settled()
    },
  }
  return context
}
