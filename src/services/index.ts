// What a middleware holds between requests: configuration, judge with its cache and protection, conversation reader,
// upstream, logger, audit.
import { hash } from 'node:crypto'
import { redisStore } from '../guard/cache/store.js'
import { createJudge, type Judge } from '../guard/index.js'
import { createPace } from '../guard/pace.js'
import { judgesRole } from '../guard/pieces.js'
import { checkAtStart, probe, type Readiness } from '../guard/ready.js'
import { overrideOptions, type Config, type RequestConfig } from '../options/config.js'
import { decide } from '../policy.js'
import { createConversationReader, type ConversationReader } from '../request/index.js'
import { type Announce, createAnnouncer } from '../telemetry/announce.js'
import { openAudit } from '../telemetry/audit/index.js'
import { shadowChannel } from '../telemetry/channels.js'
import { addLiveGuard } from '../telemetry/live-guards.js'
import { defaultLogger, withoutErrors } from '../telemetry/log.js'
import type { TelemetryServices } from '../telemetry/request-telemetry.js'
import type {
  Category,
  Guard,
  GuardedRequest,
  GuardStats,
  Logger,
  PolicyStats,
  RequestFields,
  Stage,
  Verdict,
  VerdictEvent,
} from '../types.js'
import { invalidOption, LlamaGuardError } from '../types/errors.js'
import type { Upstream } from '../upstream/index.js'
import { createUpstream, guardsOf, wantsScores } from './create-guard.js'

export interface Services extends TelemetryServices {
  readonly config: Config
  readonly model: string
  readonly vision: boolean
  readonly categories: readonly Category[]
  /** What judges, with its panel and cascade. Asked through `judge` alone. */
  readonly guard: Guard
  readonly judge: Judge
  /** Of the checks of streams. */
  readonly pace: ReturnType<typeof createPace>
  readonly reader: ConversationReader
  readonly upstream: Upstream | undefined
  readonly logger: Logger
  /** The result of `skip(req)`. A promise is an error: it would be truthy and switch the guard off. */
  skips(req: GuardedRequest): boolean
  settingsFor(req: GuardedRequest): RequestConfig | Promise<RequestConfig>
  /** The result of `context(req)`. */
  contextOf(req: GuardedRequest): RequestFields | undefined
  /** True when this verdict alone makes the policy block, so that no other check is needed. */
  blocks(settings: RequestConfig): (verdict: Verdict, stage: Stage) => boolean
  /** Calls the hook `onVerdict`. `failed` is told what it throws. */
  tell(event: VerdictEvent, req: GuardedRequest, failed: (error: unknown) => void): void
  /** Tells the operator, once per method and path, about a body that passed unjudged. */
  readonly announce: Announce
  /** Asks every guard once, and logs which cannot work. */
  ready(): Promise<Readiness>
  /** Counters of judge and audit. */
  stats(): GuardStats
  /** Closes what services with another policy do not share. Nothing of these may be in use. */
  retire(): void
  close(): Promise<void>
}

/**
 * `before`: services under another policy, whose upstream, logger and audit go on. `policy`: counters of the file that
 * holds it.
 */
export function createServices(config: Config, before?: Services, policy?: PolicyStats): Services {
  const logger =
    before?.logger ??
    withoutErrors(config.logger || defaultLogger(config.logger === false ? 'silent' : config.logLevel))
  const { guard, named } = guardsOf(config)
  const categories = guard.categories ?? []
  checkIds(config, categories)
  const model = guard.model ?? 'custom'
  if (config.guard === 'local' && before === undefined)
    logger.warn(
      { model },
      'The guard is the built-in baseline screen, not Llama Guard. Set LLAMA_GUARD_ENDPOINT and guard: ' +
        '"sagemaker" for production.',
    )

  // One function per settings object, because the judge remembers the verdicts of a panel per function.
  const deciders = new WeakMap<RequestConfig, (verdict: Verdict, stage: Stage) => boolean>()
  const blocks: Services['blocks'] = (settings) => {
    let decider = deciders.get(settings)
    if (decider === undefined) {
      // A copy a call would be 8 % of the CPU of a request whose verdicts are remembered.
      const enforced = { ...settings, mode: 'enforce' as const }
      decider = (verdict, stage) => decide(stage, [{ verdict, ms: 0, model }], enforced, categories).action === 'block'
      deciders.set(settings, decider)
    }
    return decider
  }

  const judge = openJudge(config, guard, blocks(config), logger)
  const upstream = before === undefined ? createUpstream(config.upstream) : before.upstream
  const reader = createConversationReader(config)
  // Last of what may throw: who writes to a file is counted.
  const audit = before?.audit ?? (config.audit === undefined ? undefined : openAudit(config.audit, logger))
  const services: Services = {
    config,
    model,
    vision: guard.vision === true,
    categories,
    guard,
    judge,
    pace: createPace(),
    reader,
    upstream,
    logger,
    audit,
    observed: before?.observed ?? new WeakMap(),
    backend: typeof config.guard === 'string' ? config.guard : 'custom',
    policyHash: policyHashOf(config),
    skips: (req) => called('skip', () => atOnce('skip', config.skip?.(req))) === true,
    settingsFor: (req) => (config.override === undefined ? config : overridden(config, req)),
    contextOf: (req) => called('context', () => fieldsOf(atOnce('context', config.context?.(req)))),
    blocks,
    tell(event, req, failed) {
      try {
        // The type of the hook returns void, but an async function fits it too. Its rejection would end the process.
        const told: unknown = config.onVerdict?.(event, req)
        if (told instanceof Promise) told.catch(failed)
      } catch (error) {
        failed(error)
      }
    },
    announce: before?.announce ?? createAnnouncer(),
    async ready() {
      const readiness = await probe(named, config.timeoutMs)
      for (const { option, model, error } of readiness.guards) if (error) report(option, model, error)
      return readiness
    },
    stats: () => ({
      ...judge.stats(),
      ...(audit && { audit: audit.stats() }),
      ...(policy && { policy: { ...policy } }),
    }),
    retire() {
      forget()
      // Objects of the operator's go on in the services that follow; what else this judge has is then left to be
      // collected.
      if (!sharesObjects(config)) void judge.close()
    },
    async close() {
      forget()
      await Promise.all([judge.close(), upstream?.close(), audit?.close()])
    },
  }
  const report = (option: string, by: string, { code, message }: LlamaGuardError): void =>
    logger.error({ option, model: by, code, reason: message }, 'the guard cannot work')
  if (before === undefined)
    checkAtStart(named, (each, error) => report(each.option, each.guard.model ?? 'custom', error))
  const forget = addLiveGuard(services)
  return services
}

/**
 * Makes the judge of a guard, with cache, protection and fallbacks.
 * @throws LlamaGuardError `invalid_option` for a guard that leaves one side of the conversation unjudged.
 */
function openJudge(
  config: Config,
  guard: Guard,
  blocks: Parameters<typeof createJudge>[0]['blocks'],
  logger: Logger,
): Judge {
  for (const each of [guard, ...(config.fallback ?? [])]) requireBothSides(each)
  const { categories, task, instruction, cacheStore, cacheSecret } = config
  return createJudge({
    ...config,
    guard,
    fallback: config.fallback,
    shadow: config.shadowGuard && { ...config.shadowGuard, onCompare: (event) => shadowChannel.publish(event) },
    policyHash: hash('sha256', JSON.stringify([categories, task, instruction, wantsScores(config)])),
    blocks,
    cacheStore:
      typeof cacheStore === 'string'
        ? redisStore(cacheStore, cacheSecret === undefined ? {} : { secret: cacheSecret })
        : cacheStore,
    logger,
  })
}

/** @throws LlamaGuardError `invalid_option` for a guard that leaves one side of the conversation unjudged. */
export function requireBothSides(guard: Guard): void {
  if (!judgesRole(guard, 'User') || !judgesRole(guard, 'Agent'))
    throw invalidOption(
      `The guard ${guard.model ?? 'custom'} judges only one side of a conversation. Put it beside a guard that judges ` +
        'both, with the option `guards`.',
    )
}

/**
 * Refuses an action or threshold for a category that does not exist, because it would have no effect. A custom guard
 * need not name its categories.
 */
function checkIds({ actions, categoryThresholds }: Config, categories: readonly Category[]): void {
  const known = categories.map(({ id }) => id)
  for (const [option, ids] of Object.entries({ 'policy.actions': actions, threshold: categoryThresholds })) {
    const unknown = Object.keys(ids ?? {}).find((id) => known.length > 0 && !known.includes(id))
    if (unknown !== undefined)
      throw invalidOption(
        `The option ${option} names the category ${JSON.stringify(unknown)}; this guard knows ${known.join(', ')}.`,
      )
  }
}

/** True when closing the judge would close an object that was given in code. */
function sharesObjects({ guard, guards = [], fallback = [], cascade, shadowGuard, cacheStore }: Config): boolean {
  const given = [guard, ...guards, ...fallback, cascade?.first, shadowGuard?.guard, cacheStore]
  return given.some((each) => typeof each === 'object' && 'close' in each)
}

function policyHashOf({ categories, task, instruction, actions, threshold, categoryThresholds }: Config): string {
  const policy = [categories, task, instruction, actions, threshold, categoryThresholds]
  return hash('sha256', JSON.stringify(policy)).slice(0, 16)
}

/** A function of the operator's that threw. The operator is told of the cause, a client is not. */
export class HookError extends LlamaGuardError {
  readonly option: string

  constructor(option: string, cause: unknown) {
    super('internal_error', undefined, { cause })
    this.option = option
  }
}

/** @throws HookError when the function does. */
function called<T>(option: string, hook: () => T): T {
  try {
    return hook()
  } catch (cause) {
    throw new HookError(option, cause)
  }
}

async function overridden(config: Config, req: GuardedRequest): Promise<RequestConfig> {
  try {
    return overrideOptions(config, await config.override?.(req))
  } catch (cause) {
    throw new HookError('override', cause)
  }
}

function fieldsOf(fields: RequestFields | undefined): RequestFields | undefined {
  if (fields === undefined) return undefined
  if (typeof fields !== 'object' || (fields as unknown) === null)
    throw new TypeError('context(req) has to return an object of fields, or undefined')
  // A bigint is no JSON: the row of the audit would throw where nobody takes it, and end the process.
  for (const value of Object.values<unknown>(fields))
    if (typeof value === 'bigint' || (typeof value === 'object' && value !== null))
      throw new TypeError('A field of context(req) has to be a string, a number or a boolean')
  return fields
}

function atOnce<T>(option: string, answer: T): T {
  if (typeof answer === 'object' && answer !== null && 'then' in answer) {
    // A rejection that nobody takes would end the process.
    Promise.resolve(answer).catch(() => undefined)
    throw new TypeError(`${option}(req) returned a promise; it has to answer at once`)
  }
  return answer
}
