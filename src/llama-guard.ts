// THE SPINE. A request comes in, its turns are judged, it goes on to the model, the reply is judged, and it
// goes out or is refused.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { conversationsToJudge, replyContextTurns, withReply } from './request/conversations.js'
import { toLlamaGuardError } from './errors.js'
import { Exchange } from './exchange.js'
import { moderationsOf } from './moderations/index.js'
import { parseOptions } from './options/config.js'
import { type Options } from './options/index.js'
import { guardResponse, setVerdictHeaders, type GuardedResponse } from './response/index.js'
import { createServices, type Services } from './services.js'
import type { RecognisedChat } from './request/index.js'
import type { Conversation, Decision, Judgement, Middleware, Next, Stage } from './types.js'

export interface LlamaGuard extends Middleware {
  /** Asks the same guard about a text of your own, through the same cache and protection. Never rejects. */
  judge(conversation: Conversation, options?: { stage?: Stage; signal?: AbortSignal }): Promise<Judgement>
  /**
   * A handler for `POST /v1/moderations` in OpenAI's shape, on the same guard: `app.post('/v1/moderations',
   * guard.moderations())`.
   */
  moderations(): Middleware
  /** Lets judgements in flight fail, and closes sockets and stores. */
  close(): Promise<void>
  /** Counters of the judge: calls, cache hits, breaker state. */
  stats(): ReturnType<Services['judge']['stats']>
}

/**
 * Express middleware that judges what a user sends to a chat model, and what the model answers, with Llama
 * Guard.
 *
 * @param options Every setting may come from a `LLAMA_GUARD_*` variable instead. Throws a `LlamaGuardError`
 * at once when one is wrong.
 * @param env Where those variables are read, for tests and tools. Default: `process.env`.
 * @example app.use(llamaGuard())
 */
export function llamaGuard(
  options: Options = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): LlamaGuard {
  const services = createServices(parseOptions(options, env))

  function llamaGuardMiddleware(req: IncomingMessage, res: ServerResponse, next: Next): void {
    const exchange = new Exchange(services, req, res)
    // next() is called last and outside of any try: what a handler throws is not ours to catch.
    admit(exchange, services).then(
      (goOn) => goOn?.(next),
      (error: unknown) =>
        exchange.refuse(
          exchange.record({ ...exchange.decideError('input', toLlamaGuardError(error)), action: 'unavailable' }, []),
        ),
    )
  }

  const judge: LlamaGuard['judge'] = (conversation, { stage = 'input', signal } = {}) =>
    services.judge.judge(conversation, { stage, signal })
  return Object.assign(llamaGuardMiddleware, {
    judge,
    moderations: () => moderationsOf(services),
    close: () => services.close(),
    stats: () => services.judge.stats(),
  })
}

/** What to do once the request may go on; undefined when it has been answered or the client has left. */
type GoOn = ((next: Next) => void) | undefined
const passUntouched: GoOn = (next) => next()

async function admit(exchange: Exchange, services: Services): Promise<GoOn> {
  const { req } = exchange
  if (exchange.alreadyGuarded || services.skips(req)) return passUntouched
  exchange.settings = services.settingsFor(req)

  let chat: RecognisedChat | undefined
  try {
    chat = await services.reader.recognise(req)
  } catch (error) {
    if (exchange.clientLeft) return undefined
    exchange.speak(services.reader.dialectOfPath(req))
    const decision = exchange.record(exchange.decideError('input', toLlamaGuardError(error)), [])
    if (decision.action !== 'allow') return exchange.refuse(decision)
    setVerdictHeaders(exchange.res, [decision])
    return passUntouched
  }
  if (chat === undefined) return passUntouched
  exchange.take(chat.dialect)

  const input = judgeInput(exchange, chat, services)
  if (exchange.settings.parallel) return besideTheCheck(exchange, chat, services, input)

  const decision = await input
  if (exchange.clientLeft) return undefined
  if (decision.action !== 'allow') return exchange.refuse(decision)
  return forward(exchange, chat, services, guardReply(exchange, chat, services))
}

async function judgeInput(exchange: Exchange, chat: RecognisedChat, { vision }: Services): Promise<Decision> {
  if (!exchange.settings.check.includes('input')) return exchange.record(exchange.decide('input', []), [])
  try {
    const conversations = conversationsToJudge(chat.request, exchange.settings, vision)
    const judgements = await exchange.judgeAll('input', conversations)
    const decision = exchange.decide('input', judgements)
    // Checks that were called off say nothing about the guard or the text.
    return exchange.clientLeft ? decision : exchange.record(decision, judgements)
  } catch (error) {
    return exchange.record(exchange.decideError('input', toLlamaGuardError(error)), [])
  }
}

/** `parallel`: the downstream starts at once, and its reply waits in the hold for the input verdict. */
function besideTheCheck(exchange: Exchange, chat: RecognisedChat, services: Services, input: Promise<Decision>): GoOn {
  const guarded = guardReply(
    exchange,
    chat,
    services,
    input.then(({ action }) => action === 'allow'),
  )
  void input.then((decision) => {
    if (decision.action !== 'allow') exchange.refuse(decision, guarded)
  })
  return forward(exchange, chat, services, guarded)
}

function guardReply(
  exchange: Exchange,
  chat: RecognisedChat,
  { vision, config }: Services,
  gate?: Promise<boolean>,
): GuardedResponse {
  const { settings, req, res, requestId } = exchange
  const turns = replyContextTurns(chat.request, vision)
  return guardResponse({
    res,
    method: req.method ?? 'POST',
    dialect: chat.dialect,
    requestId,
    settings,
    maxReplyBytes: config.maxReplyBytes,
    judge: (text) => exchange.judge('output', withReply(turns, text)),
    decide: (judgements) => exchange.decide('output', judgements),
    decideError: (error) => exchange.decideError('output', error),
    input: () => exchange.state.input,
    gate,
    settled: (decision, judgements) => void exchange.record(decision, judgements),
    abort: () => exchange.abort(),
  })
}

function forward(exchange: Exchange, chat: RecognisedChat, { upstream }: Services, guarded: GuardedResponse): GoOn {
  if (upstream === undefined) return passUntouched
  const { req, res, signal, logger } = exchange
  return () => {
    upstream
      .forward({ req, res, body: chat.body, signal, logger, path: req.url ?? '/' })
      .catch((error: unknown) => exchange.upstreamFailed(toLlamaGuardError(error, 'upstream_unavailable'), guarded))
  }
}
