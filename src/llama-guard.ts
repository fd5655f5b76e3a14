// THE SPINE. A request comes in, its turns are judged, it goes on to the model, the reply is judged, and it is
// released or refused.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createDashboards } from './dashboard/index.js'
import { Exchange } from './exchange/index.js'
import { moderationsOf } from './moderations/index.js'
import { createLiveServices } from './live-services.js'
import type { LlamaGuardOptions } from './options/index.js'
import { setVerdictHeaders, type GuardedResponse } from './response/index.js'
import type { LlamaGuard } from './middleware.js'
import type { Recognised, UnknownBody } from './request/index.js'
import type { Services } from './services.js'
import type { GuardedRequest, Next, NotJudgedReason } from './types.js'

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
    const services = live.until(res)
    const exchange = new Exchange(services, req, res)
    // next() is called last and outside of any try, so that an exception of the handler reaches Express.
    admit(exchange, services).then(
      (goOn) => goOn?.(next),
      (error: unknown) => exchange.refuse(exchange.hookFailed(error)),
    )
  }

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
const passUnjudged = (exchange: Exchange, why: NotJudgedReason | UnknownBody): GoOn => {
  exchange.pass(why)
  return passUntouched
}

async function admit(exchange: Exchange, services: Services): Promise<GoOn> {
  const { req, res } = exchange
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
    const decision = exchange.checkFailed('input', error)
    if (decision.action !== 'allow') return exchange.refuse(decision)
    setVerdictHeaders(res, [decision], exchange.settings.expose)
    return passUntouched
  }
  if (recognised.kind === 'nothing') return passUnjudged(exchange, recognised.why)
  if (recognised.kind === 'unknown') return passUnjudged(exchange, recognised)
  exchange.accept(recognised)

  const checked = exchange.check('input')
  // With `parallel` the handler starts at once. Its reply waits in the hold for the input verdict.
  if (exchange.settings.parallel && !(await exchange.refusesAtOnce(checked)))
    return forward(exchange, services, exchange.guardReply(checked))

  const decision = await checked
  if (exchange.clientLeft) return undefined
  if (decision.action !== 'allow') return exchange.refuse(decision)
  return forward(exchange, services, exchange.guardReply())
}

function forward(exchange: Exchange, { upstream }: Services, guarded: GuardedResponse): GoOn {
  if (upstream === undefined) return passUntouched
  return () => exchange.forwardTo(upstream, guarded)
}
