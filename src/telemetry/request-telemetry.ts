// One request, told to the channels and the audit: each check, each stage, what no guard saw, and the whole of it when
// its response has closed. Without a listener it makes nothing. Errors of a guard from outside may quote what it was
// shown, so messages get their codes alone.
import type { ServerResponse } from 'node:http'
import type { AbortSignalLike } from '../utils/deadline.js'
import type {
  Conversation,
  GuardedRequest,
  Judgement,
  NotJudged,
  RequestEvent,
  RequestFields,
  Stage,
  VerdictEvent,
} from '../types.js'
import { type AddedLatencyClock, judgedChars, RequestLedger } from './request-ledger.js'
import type { Audit } from './audit/index.js'
import {
  checkChannel,
  type CheckMessage,
  type CheckResult,
  notJudgedChannel,
  type NotJudgedMessage,
  requestChannel,
  verdictChannel,
  type VerdictMessage,
} from './channels.js'

/** What telemetry needs to know of a middleware. */
export interface TelemetryServices {
  readonly audit: Audit | undefined
  /** Who keeps account of a request, while somebody does. */
  readonly observed: WeakMap<GuardedRequest, RequestTelemetry>
  /** What judges, by name: `custom` for a guard object. */
  readonly backend: string
  readonly model: string
  /** Stands for categories, task, instruction, actions and thresholds. */
  readonly policyHash: string
  readonly config: { readonly timeoutMs: number }
}

/** What telemetry needs to know of a request, as far as it has come. */
export interface ObservedRequest {
  readonly req: GuardedRequest
  readonly res: ServerResponse
  readonly requestId: string
  readonly context: RequestFields | undefined
  readonly dialectName: string
  /** Undefined until the request has been read as a chat. */
  readonly asked: { readonly stream: boolean } | undefined
  readonly settings: Pick<VerdictMessage, 'mode' | 'parallel'> & {
    readonly streaming: 'window' | 'fixed' | 'full' | 'async'
  }
}

/** A check of a reply, or of a part of one. */
interface AskedReply {
  readonly conversation: Conversation
  readonly text: string
  readonly choice: number
  /** Ends the check, which is then told without a result. */
  readonly calledOff?: AbortSignalLike | undefined
}

export class RequestTelemetry {
  readonly #services: TelemetryServices
  readonly #observed: ObservedRequest
  /** Kept only when somebody wants to hear of whole requests. */
  #ledger: RequestLedger | undefined
  #key: object | undefined

  constructor(services: TelemetryServices, observed: ObservedRequest) {
    this.#services = services
    this.#observed = observed
  }

  /** Keeps account of the request until its response has closed. */
  begin(): void {
    const { audit, observed } = this.#services
    if (audit === undefined && !requestChannel.hasSubscribers) return
    const { req, res } = this.#observed
    // Mounted twice, and passed the first time: it stays one request.
    const before = observed.get(req)
    this.#ledger = before === undefined ? new RequestLedger(audit?.secret) : before.#ledger
    observed.set(req, this)
    if (before !== undefined) return
    const closed = (): void => (observed.get(req) ?? this).#closed()
    // A client may have left while a middleware before us worked. There is no second 'close'.
    if (res.closed) setImmediate(closed)
    else res.once('close', closed)
  }

  /** Measures what the guard adds. Undefined when nobody asks. */
  get clock(): AddedLatencyClock | undefined {
    return this.#ledger?.clock
  }

  /**
   * `unseen`: parts of the request that its model will see and no guard does. `newest`: the newest words of the user.
   */
  asksInput<T extends Judgement | readonly Judgement[]>(
    conversations: readonly Conversation[],
    { unseen, newest }: { unseen: () => readonly NotJudged[]; newest: () => string },
    ask: () => Promise<T>,
  ): Promise<T> {
    if (this.#ledger !== undefined || notJudgedChannel.hasSubscribers)
      for (const part of unseen()) {
        this.#ledger?.part(part)
        this.#publishNotJudged(part, 'input', 'allow')
      }
    this.#ledger?.asksInput(conversations, newest())
    const answer = tracedCheck(() => this.#check('input', conversations), ask)
    // The clock counts the wait before the handler. With `parallel` there is none, because the handler has started.
    return this.clock === undefined || this.#observed.settings.parallel ? answer : this.clock.waitsFor(answer)
  }

  asksReply({ conversation, text, choice, calledOff }: AskedReply, ask: () => Promise<Judgement>): Promise<Judgement> {
    this.#ledger?.asksReply(text, choice)
    return tracedCheck(() => this.#check('output', [conversation]), ask, calledOff)
  }

  /** The last word on a stage. */
  stage(event: VerdictEvent): void {
    this.#ledger?.stage(event)
    const { verdict, why = 'empty' } = event
    if (verdict === 'skipped') return this.#publishNotJudged({ what: why, count: 1 }, event.stage, event.action)
    if (!verdictChannel.hasSubscribers) return
    const { mode, parallel } = this.#observed.settings
    const { backend } = this.#services
    const message: VerdictMessage = {
      ...event,
      verdict,
      request: this.#request,
      backend,
      mode,
      parallel,
      stream: this.#stream,
    }
    verdictChannel.publish(message)
  }

  get #stream(): boolean {
    return this.#observed.asked?.stream === true
  }

  /** Stands for this request in messages. */
  get #request(): object {
    return (this.#key ??= Object.freeze({}))
  }

  get #about(): Pick<CheckMessage, 'request' | 'requestId' | 'context'> {
    const { requestId, context } = this.#observed
    return { request: this.#request, requestId, ...(context !== undefined && { context }) }
  }

  #publishNotJudged({ what, count }: NotJudged, stage: Stage, action: NotJudgedMessage['action']): void {
    if (!notJudgedChannel.hasSubscribers) return
    const dialect = this.#observed.dialectName
    const message: NotJudgedMessage = { ...this.#about, stage, dialect, action, what, count }
    notJudgedChannel.publish(message)
  }

  #check(stage: Stage, conversations: readonly Conversation[]): Omit<CheckMessage, 'result'> {
    const { backend, model } = this.#services
    const { dialectName: dialect } = this.#observed
    return {
      ...this.#about,
      stage,
      dialect,
      backend,
      model,
      conversations: conversations.length,
      chars: judgedChars(conversations),
    }
  }

  /** The response has closed. With `async` streaming the last verdict may come after the last byte. */
  #closed(): void {
    const ledger = this.#ledger
    if (ledger === undefined) return
    const { settings, asked, res } = this.#observed
    const late = settings.streaming === 'async' && asked !== undefined && res.writableFinished
    if (!late || !ledger.awaitsReply) return this.#tell(ledger)
    const tell = (): void => {
      clearTimeout(timer)
      ledger.whenTold = undefined
      this.#tell(ledger)
    }
    const timer = setTimeout(tell, this.#services.config.timeoutMs)
    ledger.whenTold = tell
  }

  #tell(ledger: RequestLedger): void {
    const { audit, model, policyHash } = this.#services
    const { req, res, requestId, context, dialectName, asked, settings } = this.#observed
    const traceId = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(String(req.headers['traceparent']))?.[1]
    const event: RequestEvent = ledger.event(
      {
        requestId,
        ...(context !== undefined && { context }),
        ...(traceId !== undefined && { traceId }),
        dialect: dialectName,
        model,
        policy: policyHash,
        mode: settings.mode,
        stream: this.#stream,
        status: res.headersSent ? res.statusCode : 0,
      },
      { isChat: asked !== undefined, finished: res.writableFinished },
    )
    audit?.write(event)
    if (requestChannel.hasSubscribers) requestChannel.publish({ ...event, request: this.#request })
  }
}

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
