// THE SPINE. A request comes in, its turns are judged, it goes on to the model, the reply is judged, and it is
// released or refused.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { createDashboards, type Dashboard, type DashboardOptions } from './dashboard/index.js'
import { Exchange } from './exchange.js'
import type { Readiness } from './guard/ready.js'
import { moderationsOf } from './moderations/index.js'
import type { LlamaGuardOptions } from './options/index.js'
import { setVerdictHeaders, type GuardedResponse } from './response/index.js'
import type { Recognised, UnknownBody } from './request/index.js'
import type { Services } from './services/index.js'
import { createLiveServices } from './services/live.js'
import { createOrderCheck } from './telemetry/announce.js'
import type {
  Conversation,
  Decision,
  GuardedRequest,
  GuardStats,
  Judgement,
  Middleware,
  Next,
  NotJudgedReason,
  Stage,
} from './types.js'
import { closeWithConnection } from './utils/pipelined.js'

/** What llamaGuard() returns: a middleware, and its methods. */
export interface LlamaGuard extends Middleware {
  /** Judges a text of your own with the same guard, cache and protection. Never rejects. Default stage: `input`. */
  judge(conversation: Conversation, options?: { stage?: Stage; signal?: AbortSignal }): Promise<Judgement>
  /**
   * Makes a handler for `POST /v1/moderations` in OpenAI's shape, on the same guard: `app.post('/v1/moderations',
   * guard.moderations())`.
   */
  moderations(): Middleware
  /**
   * Makes the handler of a live page about the guards of this process, for this machine alone unless a token is set.
   * Mount it before the guard: `app.use('/guard', guard.dashboard())`.
   * @throws LlamaGuardError for an option that is wrong.
   */
  dashboard(options?: DashboardOptions): Dashboard
  /**
   * Asks every guard once about an unsafe sentence: whether it can be reached, takes the credentials and answers as the
   * configured model does. What does not work is logged. Costs one call a guard, cached never. Never rejects.
   * @example if (!(await guard.ready()).ok) process.exitCode = 1
   */
  ready(): Promise<Readiness>
  /** Fails the judgements in flight, and closes sockets, stores and dashboards. */
  close(): Promise<void>
  /** Counters of the judge: calls, cache hits, breaker state; and of the audit, where there is one. */
  stats(): GuardStats
}

/**
 * Express middleware that judges with Llama Guard what a user sends to a chat model and what the model answers.
 *
 * @param options The settings. Each may come from a `LLAMA_GUARD_*` variable instead.
 * @param env The source of those variables, for tests and tools. Default: `process.env`.
 * @throws LlamaGuardError at once when a setting is missing or wrong.
 * @example app.use(llamaGuard())
 */
export function llamaGuard<Req extends IncomingMessage = GuardedRequest>(
  options: LlamaGuardOptions<Req> = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): LlamaGuard {
  const live = createLiveServices(options as LlamaGuardOptions, env)
  const dashboards = createDashboards(live, env)

  function llamaGuardMiddleware(req: IncomingMessage, res: ServerResponse, next: Next): void {
    if (res.socket === null) closeWithConnection(req, res)
    const services = live.until(res)
    tellOrder(req, res, services.logger)
    const exchange = new Exchange(services, req, res)
    // next() is called last and outside of any try, so that an exception of the handler reaches Express.
    admit(exchange, services).then(
      (goOn) => goOn?.(next),
      (error: unknown) => exchange.refuse(exchange.hookFailed(error)),
    )
  }

  const tellOrder = createOrderCheck(llamaGuardMiddleware)
  const methods: Pick<LlamaGuard, keyof LlamaGuard> = {
    judge: (conversation, { stage = 'input', signal } = {}) =>
      live.during((services) => services.judge.judge(conversation, { stage, signal })),
    moderations: () => (req, res, next) => moderationsOf(live.until(res))(req, res, next),
    dashboard: (settings) => dashboards.open(settings),
    ready: () => live.during((services) => services.ready()),
    stats: () => live.stats(),
    close() {
      dashboards.close()
      return live.close()
    },
  }
  return Object.assign(llamaGuardMiddleware, methods)
}

/** The next step of a request that may go on. Undefined when it has been answered or the client has left. */
type GoOn = ((next: Next) => void) | undefined
const passUntouched: GoOn = (next) => next()
const passUnjudged = (exchange: Exchange, why: NotJudgedReason): GoOn => {
  exchange.pass(why)
  return passUntouched
}

/** The operator is told how to have the body judged, and the client that it was not. */
function passUnknown(exchange: Exchange, services: Services, body: UnknownBody): GoOn {
  const { req, logger, context } = exchange
  const decision = exchange.pass('unknown-body')
  if (body.announced) {
    setVerdictHeaders(exchange, decision)
    services.announce(req, logger, body, { context })
  }
  return passUntouched
}

async function admit(exchange: Exchange, services: Services): Promise<GoOn> {
  const { req } = exchange
  if (exchange.alreadyGuarded) return passUntouched
  exchange.begin()
  if (services.skips(req)) return passUnjudged(exchange, 'skip-hook')
  exchange.settings = await services.settingsFor(req)
  exchange.context = services.contextOf(req)

  let recognised: Recognised
  try {
    recognised = await services.reader.recognise(req, exchange.settings.unknown)
  } catch (error) {
    if (exchange.clientLeft) return undefined
    exchange.refuseIn(services.reader.dialectOfPath(req))
    const decision = exchange.checkFailed(error)
    if (decision.action !== 'allow') return exchange.refuse(decision)
    setVerdictHeaders(exchange, decision)
    return passUntouched
  }
  if (recognised.kind === 'nothing') return passUnjudged(exchange, recognised.why)
  if (recognised.kind === 'unknown') return passUnknown(exchange, services, recognised)
  // A hook or a middleware before us may have taken its time.
  if (exchange.clientLeft) return undefined
  exchange.accept(recognised)
  if (recognised.announced) {
    const { logger, context } = exchange
    services.announce(req, logger, { format: 'other' }, { context })
  }

  const checked = exchange.check()
  // With `parallel` the handler starts at once. Its reply waits in the hold for the input verdict.
  if (exchange.settings.parallel && !(await refusesAtOnce(checked)))
    return forward(exchange, services, exchange.guardReply(checked))

  const decision = await checked
  if (exchange.clientLeft) return undefined
  if (decision.action !== 'allow') return exchange.refuse(decision)
  return forward(exchange, services, exchange.guardReply())
}

/**
 * True when the check refuses the request by the next turn of the event loop: without a guard call, or by a remembered
 * verdict. With `parallel`, the handler is then not started.
 */
async function refusesAtOnce(checked: Promise<Decision>): Promise<boolean> {
  const decision = await Promise.race([checked, setImmediate(undefined)])
  return decision?.action === 'unavailable' || (decision?.action === 'block' && decision.outcome.cached === true)
}

const NO_BYTES = Buffer.alloc(0)

function forward(exchange: Exchange, { upstream }: Services, guarded: GuardedResponse): GoOn {
  if (upstream === undefined) return passUntouched
  const { req, res, signal, logger } = exchange
  const { body, exact } = exchange.chat
  const rawBody = body === undefined ? NO_BYTES : undefined
  return () => {
    upstream
      .forward({ req, res, body, exact, rawBody, signal, logger, path: req.url ?? '/' })
      .catch((error: unknown) => exchange.upstreamFailed(error, guarded))
  }
}
