// From configuration to the judge and the upstream: the one place that knows which backend a setting names.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { LlamaGuardError } from './errors.js'
import { createJudge, type Judge } from './guard/index.js'
import { createLocalGuard } from './guard/backends/local/index.js'
import { llamaCppComplete } from './guard/backends/llama-cpp/index.js'
import { openAiCompatibleComplete } from './guard/backends/openai-compatible/index.js'
import { createPrompter, type Prompter } from './guard/prompt/index.js'
import { promptedGuard } from './guard/backends/prompted.js'
import { sagemakerComplete } from './guard/backends/sagemaker/index.js'
import { sagemakerStreamComplete } from './guard/backends/sagemaker/first-token.js'
import { redisStore } from './guard/cache/redis-store.js'
import { parseOptions, type Config } from './options/config.js'
import { type Options, type UpstreamOption } from './options/index.js'
import { readCategories } from './options/categories.js'
import type { Category, Guard, Logger } from './types.js'
import { httpUpstream, sagemakerChatUpstream, type Upstream } from './upstream/index.js'

const LLAMA_CPP_CONTEXT_TOKENS = 8192

/**
 * Makes a guard from the same options and variables as `llamaGuard()`, for `fallback`, `shadowGuard` and `anyUnsafe()`.
 * Throws when a setting it needs is missing or wrong.
 *
 * @example llamaGuard({ endpoint: 'guard-8b', fallback: [createGuard({ guard: 'local' })] })
 */
export function createGuard(options: Options = {}): Guard {
  return guardOf(parseOptions(options))
}

/** The guard a configuration names, ready to be asked. */
export function guardOf(config: Config): Guard {
  if (typeof config.guard === 'object') return config.guard
  switch (config.guard) {
    case 'local':
      return createLocalGuard()
    case 'sagemaker': {
      requireRegion()
      const { endpoint = '', inferenceComponent, targetVariant, concurrency, timeoutMs } = config
      const complete = (config.firstToken ? sagemakerStreamComplete : sagemakerComplete)({
        endpoint,
        inferenceComponent,
        targetVariant,
        concurrency,
        timeoutMs,
      })
      return promptedGuard({
        prompter: prompterOf(config),
        complete,
        identity: complete.identity,
        logprobs: wantsScores(config),
        images: 'markdown',
      })
    }
    case 'openai': {
      const { guardUrl = '', guardApiKey, guardModel, concurrency, timeoutMs } = config
      const complete = openAiCompatibleComplete({
        url: guardUrl,
        apiKey: guardApiKey,
        model: guardModel,
        concurrency,
        timeoutMs,
      })
      // A text completion carries no image: a model that could see would be told of one, and judge the text alone.
      return promptedGuard({
        prompter: { ...prompterOf(config), vision: false },
        complete,
        identity: complete.identity,
        logprobs: wantsScores(config),
      })
    }
    case 'llama-cpp': {
      const { modelPath = '', concurrency, timeoutMs } = config
      const full = prompterOf(config)
      // Memory is taken for every token a call may have, so not for all that the model could read.
      const prompter = { ...full, contextTokens: Math.min(full.contextTokens, LLAMA_CPP_CONTEXT_TOKENS), vision: false }
      const complete = llamaCppComplete({ modelPath, concurrency, timeoutMs, contextTokens: prompter.contextTokens })
      return promptedGuard({ prompter, complete, identity: complete.identity, logprobs: wantsScores(config) })
    }
    default:
      throw new LlamaGuardError('invalid_option', `There is no guard ${JSON.stringify(config.guard satisfies never)}.`)
  }
}

/** The judge in front of a guard: remembered, protected, with its fallbacks. */
export function openJudge(
  config: Config,
  guard: Guard,
  blocks: Parameters<typeof createJudge>[0]['blocks'],
  logger: Logger,
): Judge {
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

/** The prompts of a configuration. */
export function prompterOf({ model, categories, task, instruction }: Config): Prompter {
  return createPrompter(model, {
    ...(categories !== undefined && { categories: readCategories(categories, 'categories') }),
    ...(task !== undefined && { task }),
    ...(instruction !== undefined && { instruction }),
  })
}

function wantsScores({ threshold, categoryThresholds }: Config): boolean {
  return threshold !== undefined || categoryThresholds !== undefined
}

/** Checks now what the SDK would only find missing at the first request. */
function requireRegion(): void {
  const {
    AWS_REGION,
    AWS_PROFILE = 'default',
    AWS_CONFIG_FILE = join(homedir(), '.aws', 'config'),
    AWS_SHARED_CREDENTIALS_FILE = join(homedir(), '.aws', 'credentials'),
  } = process.env
  if (AWS_REGION) return
  const files = [AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE].filter((file) => existsSync(file))
  if (files.some((file) => /^[ \t]*region\s*=/m.test(readFileSync(file, 'utf8')))) return
  throw new LlamaGuardError(
    'region_missing',
    `No AWS region is set, and profile ${JSON.stringify(AWS_PROFILE)} gives none. Set AWS_REGION to ` +
      'the region of the guard endpoint, for example us-east-1.',
  )
}

/** The taxonomy a guard answers with. */
export function categoriesOf(guard: Guard): readonly Category[] {
  return guard.categories ?? []
}
