// One guarded request from its first byte to its last: what the spine calls, and what the holds of its reply ask.
import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import type { Dialect } from '../dialects/dialect.js'
import { LlamaGuardError, toLlamaGuardError } from '../errors.js'
import type { RequestConfig } from '../options/config.js'
import type { StageOptions } from '../guard/index.js'
import {
  conversationsToJudge,
  newestWords,
  replyContextTurns,
  unseenParts,
  withReply,
} from '../request/conversations.js'
import type { RecognisedChat, UnknownBody } from '../request/index.js'
import { isGuarded, type Mounted, requestIdOf, State, stateOf } from '../request/state.js'
import { isOnRoute } from '../request/unknown.js'
import { urlTexts } from '../request/url-words.js'
import {
  type GuardedResponse,
  guardResponse,
  type Pace,
  type RefusalContext,
  type ReplyClock,
  type ReplyContext,
  setVerdictHeaders,
} from '../response/index.js'
import { HookError, type Services } from '../services.js'
import { logHookError } from '../telemetry/log.js'
import { type ObservedRequest, RequestTelemetry } from '../telemetry/request-telemetry.js'
import type {
  Conversation,
  Decision,
  GuardedRequest,
  Judgement,
  Logger,
  NotJudgedReason,
  RequestFields,
  Stage,
  ToolCall,
} from '../types.js'
import { toDictionaryMode } from '../utils/dictionary-mode.js'
import { withEscapesRead } from '../utils/json-escapes.js'
import { type AbortSignalLike, LazyAbortController } from '../utils/deadline.js'
import { askToolCall } from './ask-tool-call.js'
import { Ending } from './ending.js'
import { StageDecisions } from './stage-decisions.js'

export class Exchange implements ReplyContext, ObservedRequest {
  readonly req: GuardedRequest
  readonly res: ServerResponse
  readonly requestId: string
  readonly decided: Mounted
  settings: RequestConfig
  /** What the option `context` says of the request. */
  context: RequestFields | undefined
  gate: Promise<boolean> | undefined
  readonly #services: Services
  readonly #state: State
  readonly #controller = new LazyAbortController()
  /** Decides whether the request is in the sample of shadow mode. */
  readonly #lot = Math.random()
  #chat: RecognisedChat | undefined
  /** The turns before the reply. */
  #turns: Conversation = []
  readonly #telemetry: RequestTelemetry
  readonly #stages: StageDecisions
  readonly #ending: Ending

  constructor(services: Services, req: GuardedRequest, res: ServerResponse) {
    this.#services = services
    this.req = req
    this.res = res
    this.settings = services.config
    this.requestId = requestIdOf(req)
    this.#state = stateOf(req) ?? new State(this.requestId, this.#controller)
    this.decided = {
      config: services.config,
      readsUrl: isOnRoute(req),
      input: undefined,
      output: undefined,
    }
    this.#telemetry = new RequestTelemetry(services, this)
    this.#stages = new StageDecisions(services, this, this.#telemetry)
    this.#ending = new Ending(this, this.#controller)
  }

  /** True when an earlier mount with the same settings guards this request already. */
  get alreadyGuarded(): boolean {
    const { req, decided } = this
    if (req.llamaGuard === undefined) return false
    try {
      return isGuarded(req, decided.config, decided.readsUrl && urlTexts(req, 'parameters').length > 0)
    } catch (error) {
      throw new HookError('mount', error)
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** True when nobody waits for this request any more: the client has left, or the request has been refused. */
  get clientLeft(): boolean {
    return this.res.destroyed || this.req.socket.destroyed || this.#controller.aborted
  }

  get logger(): Logger {
    return this.#services.config.logger === false ? this.#services.logger : (this.req.log ?? this.#services.logger)
  }

  get chat(): RecognisedChat {
    if (this.#chat === undefined) throw new LlamaGuardError('internal_error', 'No chat has been accepted yet.')
    return this.#chat
  }

  get dialect(): Dialect {
    const { dialect } = this.chat
    const ignoring = this.settings.images === 'ignore' ? dialect.ignoringMedia : undefined
    return ignoring === undefined ? dialect : { ...dialect, ...ignoring }
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
    return this.#state.input
  }

  /** The first word on this request: from here on it is accounted for. */
  begin(): void {
    this.#telemetry.begin()
  }

  /** Whose envelope a refusal comes in, as soon as it can be told. */
  refuseIn(dialect: Dialect | undefined): void {
    this.#ending.refuseIn(dialect)
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
  async check(stage: 'input'): Promise<Decision> {
    const why = this.skips(stage)
    if (why !== undefined) return this.pass(why)
    const { system, turns, extras } = this.chat.request
    if (system === '' && turns.length === 0 && extras.length === 0) return this.pass('empty')
    try {
      const conversations = conversationsToJudge(this.chat.request, this.settings, this.#services.vision)
      if (conversations.length === 0) return this.pass('empty')
      const calls = (this.chat.request.toolCalls ?? []).map((call) => this.#askToolCall({ ...call, stage }))
      const judged = await this.#telemetry.asksInput(
        conversations,
        {
          unseen: () => unseenParts(this.chat.request, this.#services.vision),
          newest: () => newestWords(this.chat.request),
        },
        () => this.#services.judge.judgeAll(conversations, this.#stageOptions(stage)),
      )
      const judgements = [...judged, ...(await Promise.all(calls)).filter((each) => each !== undefined)]
      const decision = this.#stages.decide(stage, judgements)
      // Checks that were aborted say nothing about the guard or the text, so they are not recorded.
      return this.clientLeft ? decision : this.record(decision, judgements)
    } catch (error) {
      return this.checkFailed(stage, error)
    }
  }

  /**
   * Records that the request passes without a judgement, and why. Where a body that is no known chat passes, the
   * operator is told how to have it judged, and the client that it was not.
   */
  pass(why: NotJudgedReason | UnknownBody): Decision {
    const reason = typeof why === 'string' ? why : 'unknown-body'
    const decision = this.record(this.#stages.decide('input', [], reason), [])
    if (typeof why !== 'string' && why.announced) {
      setVerdictHeaders(this.res, [decision], this.settings.expose)
      this.#services.announce(this.req, this.logger, why, { context: this.context })
    }
    return decision
  }

  /** The decision on a stage that failed before any guard was asked. */
  checkFailed(stage: Stage, error: unknown): Decision {
    return this.record(this.#stages.decideError(stage, toLlamaGuardError(error)), [])
  }

  /**
   * The decision when a hook of the operator, or our own code, failed before the request was read. `onError` and
   * `mode` do not let it pass.
   */
  hookFailed(error: unknown): Decision {
    if (error instanceof HookError) this.tellOperator(error.option, error.cause)
    return this.record({ ...this.#stages.decideError('input', toLlamaGuardError(error)), action: 'unavailable' }, [])
  }

  /** Logs what a function of the operator's threw. */
  tellOperator(option: string, error: unknown): void {
    const { requestId, context } = this
    logHookError(this.logger, option, error, { requestId, context })
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

  get pace(): Pace {
    return this.#services.pace
  }

  async judgeReply(text: string, choice = 0, calledOff?: AbortSignalLike): Promise<Judgement> {
    const conversation = withReply(this.#turns, withEscapesRead(text))
    const options = this.#stageOptions('output')
    if (calledOff === undefined)
      return this.#telemetry.asksReply({ conversation, text, choice }, () =>
        this.#services.judge.judge(conversation, options),
      )
    const signal = new LazyAbortController()
    const leave = (): void => signal.abort(this.#controller.reason)
    calledOff.addEventListener('abort', leave, { once: true })
    this.#controller.addEventListener('abort', leave, { once: true })
    if (this.#controller.aborted) leave()
    const ask = (): Promise<Judgement> => this.#services.judge.judge(conversation, { ...options, signal })
    const judgement = await this.#telemetry.asksReply({ conversation, text, choice, calledOff }, ask)
    this.#controller.removeEventListener('abort', leave)
    return judgement
  }

  get askToolCall(): ReplyContext['askToolCall'] {
    if (this.#services.config.onToolCall === undefined) return undefined
    return ({ name, arguments: args }) => this.#askToolCall({ name, arguments: args, stage: 'output' })
  }

  async #askToolCall(call: ToolCall): Promise<Judgement | undefined> {
    const { onToolCall: hook, timeoutMs } = this.#services.config
    if (hook === undefined) return undefined
    const failed = (error: unknown): void => this.tellOperator('onToolCall', error)
    return askToolCall(call, { hook, req: this.req, signal: this.#controller, timeoutMs, failed })
  }

  decideReply(judgements: readonly Judgement[], why?: NotJudgedReason): Decision {
    return this.#stages.decide('output', judgements, why)
  }

  decideReplyError(error: LlamaGuardError): Decision {
    return this.#stages.decideError('output', error)
  }

  record(decision: Decision, judgements: readonly Judgement[]): Decision {
    return this.#stages.record(decision, judgements)
  }

  /** The API whose refusals the client would read. */
  get dialectName(): string {
    return this.#ending.dialectName
  }

  /** Answers with a decision that is not `allow`, through the guarded response if there is one. */
  refuse(decision: Decision, guarded?: Pick<GuardedResponse, 'refuse'>): undefined {
    return this.#ending.refuse(decision, guarded)
  }

  /** Stops all work for this request once its refusal has left. */
  abort(): void {
    this.#ending.abort()
  }

  /** Sends the request to the upstream instead of a handler. */
  forwardTo(upstream: NonNullable<Services['upstream']>, guarded: GuardedResponse): void {
    const { req, res, chat, signal, logger } = this
    upstream
      .forward({ req, res, body: chat.body, signal, logger, path: req.url ?? '/' })
      .catch((error: unknown) => this.upstreamFailed(error, guarded))
  }

  /**
   * Refuses when the upstream gave no complete reply. `onError: 'open'` does not apply, because there is nothing to
   * let through.
   */
  upstreamFailed(error: unknown, guarded: GuardedResponse): void {
    // The client has its refusal already. The upstream failed only because nothing more can be written.
    if (this.#ending.refused) return
    const failure = toLlamaGuardError(error, 'upstream_unavailable')
    const decision: Decision = { ...this.#stages.decideError('output', failure), action: 'unavailable' }
    guarded.fail(decision)
    // A hold that kept a part of the reply has recorded the decision already, with the checks of that part.
    if (this.decided.output !== decision) this.record(decision, [])
  }

  #stageOptions(stage: Stage): StageOptions {
    const { onError, mode } = this.settings
    const tenant = this.context?.['tenant']
    return {
      stage,
      signal: this.#controller,
      request: this,
      tenant: tenant === undefined ? undefined : String(tenant),
      blocks: this.#services.blocks(this.settings),
      failFast: onError === 'closed' && mode === 'enforce',
    }
  }
}
