// What the holds need to know of the request whose reply they keep. One exchange is one such context.
import type { ServerResponse } from 'node:http'
import type { Dialect } from '../dialects/dialect.js'
import type { LlamaGuardError } from '../errors.js'
import type { RefusalContext, RefusalSettings } from './refusal.js'
import type { Decision, Judgement, NotJudgedReason, Stage } from '../types.js'

/** The options that shape what goes out. */
export interface ReplySettings extends RefusalSettings {
  readonly check: readonly Stage[]
  readonly streaming: 'window' | 'full' | 'async'
  readonly windowChars: number
  readonly windowMs: number
  /** Lets frames without words leave before the first verdict. */
  readonly keepAlive?: boolean | undefined
}

export interface ReplyContext extends RefusalContext {
  readonly res: ServerResponse
  readonly method: string
  readonly dialect: Dialect
  readonly settings: ReplySettings
  readonly maxReplyBytes: number
  /** The input decision, for the headers. */
  readonly input: Decision | undefined
  /** With `parallel`: resolves to false when the input is not allowed, and nothing may be released before. */
  readonly gate: Promise<boolean> | undefined
  /** Judges this text of a choice as the Agent's turn after the request's. Never rejects. Default: the first choice. */
  judgeReply(text: string, choice?: number): Promise<Judgement>
  /** `why`: the reason when there is nothing to judge. Default: `empty`. */
  decideReply(judgements: readonly Judgement[], why?: NotJudgedReason): Decision
  decideReplyError(error: LlamaGuardError): Decision
  /** Called once, with the last word on the reply: for log, metrics and `req.llamaGuard`. */
  record(decision: Decision, judgements: readonly Judgement[]): Decision
  /** Tells the downstream, and every check that nobody waits for any more, to stop. */
  abort(): void
}
