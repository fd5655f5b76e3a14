// One guarded request from its first byte to its last: what the spine calls, and what the holds of its reply ask.
import type { ServerResponse } from 'node:http'
import type { Dialect } from './dialects/dialect.js'
import { LlamaGuardError, toLlamaGuardError } from './types/errors.js'
import type { StageOptions } from './guard/index.js'
import type { RequestConfig } from './options/config.js'
import { decide, decideError, skipped } from './policy.js'
import { aboutInput, conversationsToJudge, replyContextTurns, withReply } from './request/conversations.js'
import { isOnRoute, type RecognisedChat } from './request/index.js'
import { isGuarded, type Mounted, requestIdOf, State, stateOf } from './request/state.js'
import { answerRefusal, type GuardedResponse, guardResponse, type ReplyContext, whenLeft } from './response/index.js'
import { askToolCall } from './services/ask-tool-call.js'
import { HookError, type Services } from './services/index.js'
import { isLogger, logHookError, logVerdict, verdictEvent, withoutErrors, withoutRequest } from './telemetry/log.js'
import { type ObservedRequest, RequestTelemetry } from './telemetry/request-telemetry.js'
import type { Conversation, Decision, GuardedRequest, Judgement, Logger, NotJudgedReason, Stage } from './types.js'
import { LazyAbortController } from './utils/deadline.js'
import { toDictionaryMode } from './utils/dictionary-mode.js'
import { withEscapesRead } from './utils/json.js'

/** Milliseconds that a client has to read a refusal before the model stops. A slow one must not keep it running. */
const ABORT_GRACE_MS = 1000

export class Exchange implements ReplyContext, ObservedRequest {
  readonly req: GuardedRequest
  readonly res: ServerResponse
  readonly maxReplyBytes: number
  readonly pace: ReplyContext['pace']
  readonly requestId: string
  /** The decisions of this mount. */
  readonly decided: Mounted
  settings: RequestConfig
  /** What the option `context` says of the request. */
  context: ObservedRequest['context']
  gate: Promise<boolean> | undefined
  readonly #services: Services
  readonly #state: State
  readonly #controller = new LazyAbortController()
  /** Decides whether the request is in the sample of shadow mode. */
  readonly #lot = Math.random()
  readonly #telemetry: RequestTelemetry
  /** The API whose refusals the client would read. It may be known before the chat is. */
  #envelope: Dialect | undefined
  #chat: RecognisedChat | undefined
  /** The turns before the reply. */
  #turns: Conversation = []
  /** True once the work for this request was called off. */
  #refused = false

  constructor(services: Services, req: GuardedRequest, res: ServerResponse) {
    this.#services = services
    this.req = req
    this.res = res
    this.maxReplyBytes = services.config.maxReplyBytes
    this.pace = services.pace
    this.settings = services.config
    this.requestId = requestIdOf(req)
    this.#state = stateOf(req) ?? new State(this.requestId)
    this.decided = { config: services.config, readsUrl: isOnRoute(req), input: undefined, output: undefined }
    this.#telemetry = new RequestTelemetry(services, this)
  }

  /** True when an earlier mount with the same settings guards this request already. */
  get alreadyGuarded(): boolean {
    return isGuarded(this.req, this.decided)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** True when nobody waits for this request any more: the client has left, or the request has been refused. */
  get clientLeft(): boolean {
    return this.res.destroyed || this.req.socket.destroyed || this.#controller.aborted
  }

  get logger(): Logger {
    const { config, logger } = this.#services
    const { log } = this.req
    return config.logger !== false && isLogger(log) ? withoutErrors(withoutRequest(log)) : logger
  }

  get chat(): RecognisedChat {
    if (this.#chat === undefined) throw new LlamaGuardError('internal_error', 'No chat has been accepted yet.')
    return this.#chat
  }

  get dialect(): Dialect {
    return this.chat.dialect
  }

  get dialectName(): string {
    return this.#envelope?.name ?? 'unknown'
  }

  get asked(): RecognisedChat['request'] | undefined {
    return this.#chat?.request
  }

  get clock(): ReplyContext['clock'] {
    return this.#telemetry.clock
  }

  get input(): Decision | undefined {
    return this.#state.input
  }

  strictest(decision: Decision): Decision {
    if (decision.stage === 'output') this.decided.named = decision
    return this.#state.strictest(decision)
  }

  /** The first word on this request: from here on it is accounted for. */
  begin(): void {
    this.#telemetry.begin()
  }

  /** Whose envelope a refusal comes in, as soon as it can be told. */
  refuseIn(dialect: Dialect | undefined): void {
    if (dialect !== undefined) this.#envelope = dialect
  }

  /** Called when the request is a chat. From then on the guard answers for it. */
  accept(chat: RecognisedChat): void {
    this.#chat = chat
    this.refuseIn(chat.dialect)
    toDictionaryMode(this.req)
    this.#state.add(this.decided, this.#controller)
    this.req.llamaGuard = this.#state
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
  async check(): Promise<Decision> {
    const why = this.skips('input')
    if (why !== undefined) return this.pass(why)
    const { chat, settings, askToolCall: askTool } = this
    const { vision, judge } = this.#services
    try {
      const conversations = conversationsToJudge(chat.request, settings, vision)
      if (conversations.length === 0) return this.pass(chat.why ?? 'empty')
      const calls = askTool === undefined ? [] : (chat.request.toolCalls ?? []).map((call) => askTool(call, 'input'))
      const ask = (): Promise<readonly Judgement[]> => judge.judgeAll(conversations, this.#stageOptions('input'))
      const judged = await this.#telemetry.asksInput(conversations, aboutInput(chat.request, vision), ask)
      const judgements = [...judged, ...(await Promise.all(calls)).filter((each) => each !== undefined)]
      const decision = this.decide('input', judgements)
      // Checks that were aborted say nothing about the guard or the text, so they are not recorded.
      return this.clientLeft ? decision : this.record(decision, judgements)
    } catch (error) {
      return this.checkFailed(error)
    }
  }

  /** Records that the request passes without a judgement, and why. */
  pass(why: NotJudgedReason): Decision {
    return this.record(this.decide('input', [], why), [])
  }

  /** The decision on a request that failed before any guard was asked. */
  checkFailed(error: unknown): Decision {
    return this.record(this.decideError('input', error), [])
  }

  /**
   * The decision when a hook of the operator, or our own code, failed before the request was read. `onError` and
   * `mode` do not let it pass.
   */
  hookFailed(error: unknown): Decision {
    if (error instanceof HookError) this.tellOperator(error.option, error.cause)
    return this.record({ ...this.decideError('input', error), action: 'unavailable' }, [])
  }

  /** Logs what a function of the operator's threw. */
  tellOperator(option: string, error: unknown): void {
    const { logger, requestId, context } = this
    logHookError(logger, option, error, { requestId, context })
  }

  /** Puts the guard between handler and client. `checked`: the input check, where it runs beside the handler. */
  guardReply(checked?: Promise<Decision>): GuardedResponse {
    this.#turns = replyContextTurns(this.chat.request, this.#services.vision)
    this.gate = checked?.then(({ action }) => action === 'allow')
    const guarded = guardResponse(this)
    void checked?.then((decision) => {
      if (decision.action !== 'allow') this.refuse(decision, guarded)
    })
    return guarded
  }

  async judgeReply(text: string, choice = 0, calledOff?: LazyAbortController, passing = false): Promise<Judgement> {
    const conversation = withReply(this.#turns, withEscapesRead(text))
    const controller = this.#controller
    const options = this.#stageOptions('output', calledOff, passing)
    const leave = (): void => calledOff?.abort(controller.reason)
    if (controller.aborted) leave()
    else controller.addEventListener('abort', leave)
    const judgement = await this.#telemetry.asksReply({ conversation, text, choice, calledOff }, () =>
      this.#services.judge.judge(conversation, options),
    )
    controller.removeEventListener('abort', leave)
    return judgement
  }

  get askToolCall(): ReplyContext['askToolCall'] {
    const { onToolCall: hook, timeoutMs } = this.#services.config
    if (hook === undefined) return undefined
    const failed = (error: unknown): void => this.tellOperator('onToolCall', error)
    const asked = { hook, req: this.req, signal: this.#controller, timeoutMs, failed }
    return (call, stage = 'output') => askToolCall({ ...call, stage }, asked)
  }

  decide(stage: Stage, judgements: readonly Judgement[], why?: NotJudgedReason): Decision {
    const { categories, model } = this.#services
    const decision =
      judgements.length === 0 ? skipped(stage, why) : decide(stage, judgements, this.settings, categories)
    return decision.model === '' ? { ...decision, model } : decision
  }

  decideError(stage: Stage, error: unknown): Decision {
    return decideError(stage, toLlamaGuardError(error), this.settings, this.#services.model)
  }

  /** Keeps the final decision on a stage on the request, logs it and reports it. */
  record(decision: Decision, judgements: readonly Judgement[]): Decision {
    this.decided[decision.stage] = decision
    const event = verdictEvent(this, decision, judgements)
    logVerdict(this.logger, event, decision.error)
    this.#services.tell(event, this.req, (error) => this.tellOperator('onVerdict', error))
    this.#telemetry.stage(event)
    return decision
  }

  /** Answers with a decision that is not `allow`, through the guarded response if there is one. */
  refuse(decision: Decision, guarded?: Pick<GuardedResponse, 'refuse'>): undefined {
    const { req, res, requestId, settings, input, asked } = this
    if (res.destroyed) return undefined
    const tellOperator = this.tellOperator.bind(this)
    const context = { dialect: this.#envelope, requestId, settings, input, req, asked, tellOperator }
    answerRefusal(res, decision, context, guarded)
    // After the answer, because a listener of the signal may end or destroy the response at once.
    this.abort()
    req.resume()
    return undefined
  }

  /**
   * Aborts the handler's work, and every check that nobody else waits for, once the refusal has left. An earlier
   * abort would make the handler's call to the model fail, and Express' error handling breaks the connection when
   * headers are out.
   */
  abort(): void {
    this.#refused = true
    whenLeft(this.res, ABORT_GRACE_MS, () => this.#controller.abort())
  }

  /**
   * Refuses when the upstream gave no complete reply. `onError: 'open'` does not apply, because there is nothing to
   * let through.
   */
  upstreamFailed(error: unknown, guarded: GuardedResponse): void {
    // The client has its refusal already. The upstream failed only because nothing more can be written.
    if (this.#refused) return
    const failure = toLlamaGuardError(error, 'upstream_unavailable')
    const decision: Decision = { ...this.decideError('output', failure), action: 'unavailable' }
    guarded.fail(decision)
    // A hold that kept a part of the reply has recorded the decision already, with the checks of that part.
    if (this.decided.output !== decision) this.record(decision, [])
  }

  #stageOptions(stage: Stage, signal = this.#controller, passing = false): StageOptions {
    const { onError, mode } = this.settings
    const tenant = this.context?.['tenant']
    return {
      stage,
      signal,
      request: this,
      tenant: tenant === undefined ? undefined : String(tenant),
      blocks: this.#services.blocks(this.settings),
      passing,
      failFast: onError === 'closed' && mode === 'enforce',
    }
  }
}
