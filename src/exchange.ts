// One guarded request from its first byte to its last: id, settings, abort, log. The spine calls its methods.
import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import type { Dialect } from './dialects/dialect.js'
import { LlamaGuardError, toLlamaGuardError } from './errors.js'
import type { RequestConfig } from './options/config.js'
import type { StageOptions } from './guard/index.js'
import { decide, decideError } from './policy.js'
import {
  conversationsToJudge,
  newestWords,
  replyContextTurns,
  unseenParts,
  withReply,
} from './request/conversations.js'
import type { RecognisedChat } from './request/index.js'
import { isGuarded, requestIdOf, State } from './request/state.js'
import {
  type GuardedResponse,
  guardResponse,
  plainDialect,
  refusalOf,
  refusing,
  type RefusalContext,
  type ReplyClock,
  type ReplyContext,
} from './response/index.js'
import type { Services } from './services.js'
import { logVerdict, verdictEvent } from './telemetry/log.js'
import { type ObservedRequest, RequestTelemetry } from './telemetry/request-telemetry.js'
import type {
  Conversation,
  Decision,
  GuardedRequest,
  Judgement,
  Logger,
  NotJudgedReason,
  RequestState,
  Stage,
  VerdictEvent,
} from './types.js'
import { toDictionaryMode } from './utils/dictionary-mode.js'
import { withEscapesRead } from './utils/json-escapes.js'
import { LazyAbortController } from './utils/lazy-abort-controller.js'

// Milliseconds after which a refusal aborts the work of the model although the client has not read all of it. A slow
// client must not keep the model running.
const ABORT_GRACE_MS = 1000

export class Exchange implements ReplyContext, ObservedRequest {
  readonly req: GuardedRequest
  readonly res: ServerResponse
  readonly requestId: string
  readonly state: RequestState
  settings: RequestConfig
  gate: Promise<boolean> | undefined
  readonly #services: Services
  readonly #controller = new LazyAbortController()
  #refused = false
  /** Decides whether the request is in the sample of shadow mode. */
  readonly #lot = Math.random()
  #refusalDialect: Pick<Dialect, 'refusal'> & { readonly name?: string } = plainDialect
  #chat: RecognisedChat | undefined
  /** The turns before the reply. */
  #turns: Conversation = []
  readonly #telemetry: RequestTelemetry

  constructor(services: Services, req: GuardedRequest, res: ServerResponse) {
    this.#services = services
    this.req = req
    this.res = res
    this.settings = services.config
    this.requestId = requestIdOf(req)
    this.state = new State(this.requestId, this.#controller)
    this.#telemetry = new RequestTelemetry(services, this)
  }

  /** True when an earlier mount of the middleware guards this request already. */
  get alreadyGuarded(): boolean {
    return isGuarded(this.req)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** True when nobody waits for this request any more: the client has left, or the request has been refused. */
  get clientLeft(): boolean {
    return this.res.destroyed || this.req.socket.destroyed || this.#controller.aborted
  }

  get logger(): Logger {
    return this.req.log ?? this.#services.logger
  }

  get chat(): RecognisedChat {
    if (this.#chat === undefined) throw new LlamaGuardError('internal_error', 'No chat has been accepted yet.')
    return this.#chat
  }

  get dialect(): Dialect {
    return this.chat.dialect
  }

  get method(): string {
    return this.req.method ?? 'POST'
  }

  get maxReplyBytes(): number {
    return this.#services.config.maxReplyBytes
  }

  get asked(): RefusalContext['asked'] {
    return this.#chat?.request
  }

  get clock(): ReplyClock | undefined {
    return this.#telemetry.clock
  }

  get input(): Decision | undefined {
    return this.state.input
  }

  /** The first word on this request: from here on it is accounted for. */
  begin(): void {
    this.#telemetry.begin()
  }

  /** Whose envelope a refusal comes in, as soon as it can be told. */
  refuseIn(dialect: Dialect | undefined): void {
    if (dialect !== undefined) this.#refusalDialect = dialect
  }

  /** Called when the request is a chat. From then on the guard answers for it. */
  accept(chat: RecognisedChat): void {
    this.#chat = chat
    this.refuseIn(chat.dialect)
    toDictionaryMode(this.req)
    this.req.llamaGuard = this.state
    // A client has left when the response closes unfinished. The 'close' of `req` does not tell, because it comes
    // with the end of the body.
    this.res.on('close', () => {
      if (!this.res.writableFinished) this.#controller.abort()
    })
  }

  /** Why nothing of a stage is judged. Both stages of a request are in the sample, or neither is. */
  skips(stage: Stage): NotJudgedReason | undefined {
    const { mode, shadowSample, check } = this.settings
    if (mode === 'shadow' && this.#lot >= shadowSample) return 'shadow-sample'
    return check.includes(stage) ? undefined : 'stage-off'
  }

  /** Judges the request and decides what to do about it. Never rejects. */
  async check(stage: 'input'): Promise<Decision> {
    const why = this.skips(stage)
    if (why !== undefined) return this.pass(why)
    const { system, turns, extras } = this.chat.request
    if (system === '' && turns.length === 0 && extras.length === 0) return this.pass('empty')
    try {
      const conversations = conversationsToJudge(this.chat.request, this.settings, this.#services.vision)
      const judgements = await this.#telemetry.asksInput(
        conversations,
        {
          unseen: () => unseenParts(this.chat.request, this.#services.vision),
          newest: () => newestWords(this.chat.request),
        },
        () => this.#services.judge.judgeAll(conversations, this.#stageOptions(stage)),
      )
      const decision = this.#decide(stage, judgements)
      // Checks that were aborted say nothing about the guard or the text, so they are not recorded.
      return this.clientLeft ? decision : this.record(decision, judgements)
    } catch (error) {
      return this.checkFailed(stage, error)
    }
  }

  /** Records that the request passes without a judgement, and why. */
  pass(why: NotJudgedReason): Decision {
    return this.record(this.#decide('input', [], why), [])
  }

  /** The decision on a stage that failed before any guard was asked. */
  checkFailed(stage: Stage, error: unknown): Decision {
    return this.record(this.#decideError(stage, toLlamaGuardError(error)), [])
  }

  /**
   * The decision when a hook of the operator, or our own code, failed before the request was read. `onError` and
   * `mode` do not let it pass.
   */
  hookFailed(error: unknown): Decision {
    return this.record({ ...this.#decideError('input', toLlamaGuardError(error)), action: 'unavailable' }, [])
  }

  /**
   * True when the check refuses the request by the next turn of the event loop: without a guard call, or by a
   * remembered verdict. With `parallel`, the handler is then not started.
   */
  async refusesAtOnce(checked: Promise<Decision>): Promise<boolean> {
    const decision = await Promise.race([checked, setImmediate(undefined)])
    return decision?.action === 'unavailable' || (decision?.action === 'block' && decision.outcome.cached === true)
  }

  /**
   * Puts the guard between handler and client. `checked` is the input check when it runs at the same time as the
   * handler.
   */
  guardReply(checked?: Promise<Decision>): GuardedResponse {
    this.#turns = replyContextTurns(this.chat.request, this.#services.vision)
    this.gate = checked?.then(({ action }) => action === 'allow')
    const guarded = guardResponse(this)
    void checked?.then((decision) => {
      if (decision.action !== 'allow') this.refuse(decision, guarded)
    })
    return guarded
  }

  judgeReply(text: string, choice = 0): Promise<Judgement> {
    const conversation = withReply(this.#turns, withEscapesRead(text))
    return this.#telemetry.asksReply(conversation, text, choice, () =>
      this.#services.judge.judge(conversation, this.#stageOptions('output')),
    )
  }

  decideReply(judgements: readonly Judgement[], why?: NotJudgedReason): Decision {
    return this.#decide('output', judgements, why)
  }

  decideReplyError(error: LlamaGuardError): Decision {
    return this.#decideError('output', error)
  }

  /**
   * Aborts the handler's work, and every check that nobody else waits for, once the refusal has left. An earlier
   * abort would make the handler's call to the model fail, and Express' error handling breaks the connection when
   * headers are out.
   */
  abort(): void {
    const { res } = this
    this.#refused = true
    if (res.destroyed || res.writableFinished) return this.#controller.abort()
    const stop = (): void => {
      clearTimeout(timer)
      res.off('finish', stop).off('close', stop)
      this.#controller.abort()
    }
    const timer = setTimeout(stop, ABORT_GRACE_MS)
    res.once('finish', stop).once('close', stop)
  }

  #stageOptions(stage: Stage): StageOptions {
    const { tenant, onError, mode } = this.settings
    return {
      stage,
      signal: this.#controller,
      request: this,
      tenant,
      blocks: this.#services.blocks(this.settings),
      failFast: onError === 'closed' && mode === 'enforce',
    }
  }

  #decide(stage: Stage, judgements: readonly Judgement[], why?: NotJudgedReason): Decision {
    const decision = decide(stage, judgements, this.settings, this.#services.categories, why)
    return decision.model === '' ? { ...decision, model: this.#services.model } : decision
  }

  #decideError(stage: Stage, error: LlamaGuardError): Decision {
    return decideError(stage, error, this.settings, this.#services.model)
  }

  /** Keeps the final decision on a stage on the request, logs it and reports it. */
  record(decision: Decision, judgements: readonly Judgement[]): Decision {
    this.state[decision.stage] = decision
    const event = verdictEvent(this.requestId, this.dialectName, decision, judgements)
    logVerdict(this.logger, event, this.#services.logsMessages ? decision.error?.message : undefined)
    this.#tell(event)
    this.#telemetry.stage(event)
    return decision
  }

  /** The API whose refusals the client would read. */
  get dialectName(): string {
    return this.#refusalDialect.name ?? 'unknown'
  }

  #tell(event: VerdictEvent): void {
    const { onVerdict } = this.#services.config
    if (onVerdict === undefined) return
    const failed = (error: unknown): void =>
      this.logger.error(
        { requestId: this.requestId, error: error instanceof Error ? error.name : typeof error },
        'onVerdict threw',
      )
    try {
      // The type of the hook returns void, but an async function fits it too. Its rejection would end the process.
      const told: unknown = onVerdict(event)
      if (told instanceof Promise) told.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  /** Answers with a decision that is not `allow`, through the guarded response if there is one. */
  refuse(decision: Decision, guarded: Pick<GuardedResponse, 'refuse'> = refusing(this.res)): undefined {
    const { res, req } = this
    if (res.destroyed) return undefined
    const refusal = refusalOf(decision, this.#refusalContext)
    // The unread rest of the body must not be read as the next request on this connection.
    const closing: Record<string, string> = req.complete || req.httpVersionMajor > 1 ? {} : { connection: 'close' }
    guarded.refuse({ ...refusal, headers: { ...refusal.headers, ...closing } })
    // After the answer, because a listener of the signal may end or destroy the response at once.
    this.abort()
    req.resume()
    return undefined
  }

  /** The dialect may be known before the request is accepted as a chat. */
  get #refusalContext(): RefusalContext {
    const { requestId, settings, input, req, asked } = this
    return { dialect: this.#refusalDialect, requestId, settings, input, req, asked }
  }

  /**
   * Refuses when the upstream gave no complete reply. `onError: 'open'` does not apply, because there is nothing to
   * let through.
   */
  upstreamFailed(error: unknown, guarded: GuardedResponse): void {
    // The client has its refusal already. The upstream failed only because nothing more can be written.
    if (this.#refused) return
    const failure = toLlamaGuardError(error, 'upstream_unavailable')
    const decision: Decision = { ...this.#decideError('output', failure), action: 'unavailable' }
    guarded.fail(decision)
    // A hold that kept a part of the reply has recorded the decision already, with the checks of that part.
    if (this.state.output !== decision) this.record(decision, [])
  }
}
