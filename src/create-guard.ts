// Makes the judge and the upstream from the configuration. Only this file knows which backend a setting names.
import { createHash } from 'node:crypto'
import { isLlamaGuardError, LlamaGuardError } from './errors.js'
import { createJudge, type Judge } from './guard/index.js'
import { createLocalGuard } from './guard/backends/local/index.js'
import { llamaCppComplete } from './guard/backends/llama-cpp/index.js'
import { openAiCompatibleComplete } from './guard/backends/openai-compatible/index.js'
import { createPrompter, isPromptGuard, type Prompter, type PromptGuardName } from './guard/prompt/index.js'
import { cascade } from './guard/cascade.js'
import { anyUnsafe, judgesRole } from './guard/panel.js'
import { promptGuard } from './guard/backends/prompt-guard.js'
import { promptedGuard } from './guard/backends/prompted.js'
import { sagemakerClassify, sagemakerComplete, type SageMakerOptions } from './guard/backends/sagemaker/index.js'
import { requireRegion } from './guard/backends/sagemaker/region.js'
import { sagemakerStreamComplete } from './guard/backends/sagemaker/first-token.js'
import { redisStore } from './guard/cache/redis-store.js'
import { hasOwnGuard } from './options/backend-options.js'
import { parseOptions, type Config } from './options/config.js'
import { isGuard } from './options/guards.js'
import type { GuardOptions, Options, UpstreamOption } from './options/index.js'
import { readCategories } from './options/categories.js'
import type { Category, Guard, Logger } from './types.js'
import { httpUpstream, sagemakerChatUpstream, type Upstream } from './upstream/index.js'

const LLAMA_CPP_CONTEXT_TOKENS = 8192

/**
 * Makes a guard from the same options and variables as `llamaGuard()`, for `fallback`, `shadowGuard` and
 * `anyUnsafe()`. It does not read the variable `LLAMA_GUARD_GUARDS`, which is the middleware's; its panel comes from
 * its own option `guards`.
 *
 * @throws LlamaGuardError when a needed setting is missing or wrong.
 * @example
 * llamaGuard({ endpoint: 'guard-8b', fallback: [createGuard({ guard: 'local' })] })
 */
export function createGuard(options: Options = {}): Guard {
  return guardOf(parseOptions(options, { ...process.env, LLAMA_GUARD_GUARDS: undefined }))
}

/** The guard of a configuration, with its panel and its cascade. */
export function guardOf(config: Config): Guard {
  const { guards = [], cascade: before, timeoutMs, threshold } = config
  const scores = wantsScores(config)
  const own = hasOwnGuard(config) ? [oneGuard(config, scores)] : []
  const beside = guards.map((entry, index) => guardOfEntry(entry, config, scores, `guards[${index}]`))
  const [only, ...others] = [...own, ...beside]
  const guard = only !== undefined && others.length === 0 ? only : anyUnsafe([...own, ...beside])
  if (before === undefined) return guard
  if (threshold !== undefined && !(before.safeBelow <= threshold && threshold <= before.unsafeAbove))
    throw new LlamaGuardError(
      'invalid_option',
      `The option threshold is ${threshold}; with a cascade it has to lie between safeBelow ${before.safeBelow} and ` +
        `unsafeAbove ${before.unsafeAbove}, or a verdict of the small guard would be final and overruled.`,
    )
  const firstMs = Math.ceil(timeoutMs / 2)
  const first = guardOfEntry(before.first, { ...config, timeoutMs: firstMs }, true, 'cascade.first')
  return cascade({ ...before, first, then: guard, firstMs })
}

function guardOfEntry(entry: Guard | GuardOptions, config: Config, scores: boolean, name: string): Guard {
  if (isGuard(entry)) return entry
  const { timeoutMs, concurrency } = config
  try {
    return oneGuard(parseOptions({ timeoutMs, concurrency, ...entry }, {}), scores)
  } catch (error) {
    if (!isLlamaGuardError(error)) throw error
    throw new LlamaGuardError(error.code, `${name}: ${error.message}`)
  }
}

function oneGuard(config: Config, logprobs: boolean): Guard {
  if (typeof config.guard === 'object') return config.guard
  if (config.controversial !== undefined && config.model !== 'qwen3guard-gen') throw ignored('controversial', config)
  if (isPromptGuard(config.model) && config.guard !== 'local') return promptGuardOf(config, config.model)
  switch (config.guard) {
    case 'local':
      return { ...createLocalGuard(), scored: true }
    case 'sagemaker': {
      const prompter = prompterOf(config)
      const complete = (config.firstToken ? sagemakerStreamComplete : sagemakerComplete)({
        ...sagemakerOptions(config),
        ...newTokens(prompter),
      })
      return promptedGuard({ prompter, complete, identity: complete.identity, logprobs, images: 'markdown' })
    }
    case 'openai': {
      const { guardUrl = '', guardApiKey, guardModel, concurrency, timeoutMs } = config
      // A text completion carries no image. With `vision` the prompt would mention an image, and the model would
      // judge the text alone.
      const prompter = { ...prompterOf(config), vision: false }
      const complete = openAiCompatibleComplete({
        url: guardUrl,
        apiKey: guardApiKey,
        model: guardModel,
        concurrency,
        timeoutMs,
        ...newTokens(prompter),
      })
      return promptedGuard({ prompter, complete, identity: complete.identity, logprobs })
    }
    case 'llama-cpp': {
      const { modelPath = '', concurrency, timeoutMs } = config
      const full = prompterOf(config)
      // llama.cpp allocates memory for every token of the context, so the context is smaller than the model's own.
      const prompter = { ...full, contextTokens: Math.min(full.contextTokens, LLAMA_CPP_CONTEXT_TOKENS), vision: false }
      const { contextTokens } = prompter
      const complete = llamaCppComplete({ modelPath, concurrency, timeoutMs, contextTokens, ...newTokens(prompter) })
      return promptedGuard({ prompter, complete, identity: complete.identity, logprobs })
    }
    default:
      throw new LlamaGuardError('invalid_option', `There is no guard ${JSON.stringify(config.guard satisfies never)}.`)
  }
}

function promptGuardOf(config: Config, model: PromptGuardName): Guard {
  if (config.guard !== 'sagemaker')
    throw new LlamaGuardError(
      'invalid_option',
      `${model} is a text classifier, which the guard ${JSON.stringify(config.guard)} cannot ask. Use guard: 'sagemaker'.`,
    )
  const option = (['categories', 'task', 'instruction'] as const).find((name) => config[name] !== undefined)
  if (option !== undefined || config.firstToken) throw ignored(option ?? 'firstToken', config)
  const classify = sagemakerClassify(sagemakerOptions(config))
  return promptGuard({ model, classify, identity: classify.identity })
}

const ignored = (option: string, { model }: Config): LlamaGuardError =>
  new LlamaGuardError('invalid_option', `The option ${option} is set, and ${model} ignores it. Remove it.`)

function sagemakerOptions(config: Config): SageMakerOptions {
  requireRegion()
  const { endpoint = '', inferenceComponent, targetVariant, concurrency, timeoutMs } = config
  return { endpoint, inferenceComponent, targetVariant, concurrency, timeoutMs }
}

const newTokens = ({ maxNewTokens }: Prompter): { maxNewTokens?: number } =>
  maxNewTokens === undefined ? {} : { maxNewTokens }

/**
 * Makes the judge of a guard, with cache, protection and fallbacks.
 * @throws LlamaGuardError `invalid_option` for a guard that leaves one side of the conversation unjudged.
 */
export function openJudge(
  config: Config,
  guard: Guard,
  blocks: Parameters<typeof createJudge>[0]['blocks'],
  logger: Logger,
): Judge {
  if (!judgesRole(guard, 'User') || !judgesRole(guard, 'Agent'))
    throw new LlamaGuardError(
      'invalid_option',
      `The guard ${guard.model ?? 'custom'} judges only one side of a conversation. Put it beside a guard that judges ` +
        'both, with the option `guards`.',
    )
  const { categories, task, instruction, cacheStore, cacheSecret } = config
  return createJudge({
    ...config,
    guard,
    fallback: config.fallback,
    shadow: config.shadowGuard,
    policyHash: createHash('sha256')
      .update(JSON.stringify([categories, task, instruction, wantsScores(config)]))
      .digest('hex'),
    blocks,
    cacheStore:
      typeof cacheStore === 'string'
        ? redisStore(cacheStore, cacheSecret === undefined ? {} : { secret: cacheSecret })
        : cacheStore,
    logger,
  })
}

export function createUpstream(option: UpstreamOption | undefined): Upstream | undefined {
  if (option === undefined) return undefined
  if (typeof option === 'string') return httpUpstream({ url: option })
  if ('forward' in option) return option as Upstream
  return 'url' in option ? httpUpstream(option) : sagemakerChatUpstream(option)
}

/** The prompter of a configuration. */
export function prompterOf({ model, categories, task, instruction, controversial }: Config): Prompter {
  const policy = {
    ...(categories !== undefined && { categories: readCategories(categories, 'categories') }),
    ...(task !== undefined && { task }),
    ...(instruction !== undefined && { instruction }),
  }
  return createPrompter(model, policy, controversial === undefined ? {} : { controversial })
}

function wantsScores({ threshold, categoryThresholds }: Config): boolean {
  return threshold !== undefined || categoryThresholds !== undefined
}

/** The categories that a guard answers with. */
export function categoriesOf(guard: Guard): readonly Category[] {
  return guard.categories ?? []
}
