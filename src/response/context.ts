// What the holds need to know of the request whose reply they keep. The spine fills it in.
import type { ServerResponse } from 'node:http'
import type { Dialect } from '../dialects/dialect.js'
import type { LlamaGuardError } from '../errors.js'
import type { RequestConfig } from '../options/config.js'
import type { Decision, Judgement } from '../types.js'

export interface ReplyContext {
  readonly res: ServerResponse
  readonly method: string
  readonly dialect: Dialect
  readonly requestId: string
  readonly settings: RequestConfig
  readonly maxReplyBytes: number
  /** Judges this text as the Agent's turn after the request's. Never rejects. */
  judge(text: string): Promise<Judgement>
  decide(judgements: readonly Judgement[]): Decision
  decideError(error: LlamaGuardError): Decision
  /** The input decision, for the headers. */
  input(): Decision | undefined
  /** With `parallel`: resolves to false when the input is not allowed, and nothing may be released before. */
  readonly gate: Promise<boolean> | undefined
  /** Called once, with the last word on the reply: for log, metrics and `req.llamaGuard`. */
  settled(decision: Decision, judgements: readonly Judgement[]): void
  /** Tells the downstream, and every check that nobody waits for any more, to stop. */
  abort(): void
}
