// Makes the guards and the upstream from the configuration. Only this file knows which backend a setting names.
import { invalidOption, isLlamaGuardError, LlamaGuardError } from '../types/errors.js'
import { bedrockComplete } from '../guard/backends/bedrock-guardrail/converse.js'
import { bedrockGuardrail } from '../guard/backends/bedrock-guardrail/index.js'
import { createLocalGuard } from '../guard/backends/local/index.js'
import { llamaCppComplete } from '../guard/backends/llama-cpp/index.js'
import { openAiModeration } from '../guard/backends/openai-moderation.js'
import { openAiChatComplete, openAiCompatibleComplete } from '../guard/backends/openai-compatible.js'
import { createPrompter, isPromptGuard, type Prompter, type PromptGuardName, textOnly } from '../guard/prompt/index.js'
import { madeHere } from '../guard/pieces.js'
import { anyUnsafe, cascade } from '../guard/panel.js'
import type { NamedGuard } from '../guard/ready.js'
import { promptGuard } from '../guard/backends/prompt-guard.js'
import { promptedGuard } from '../guard/backends/prompted.js'
import {
  requireRegion,
  sagemakerClassify,
  sagemakerComplete,
  type SageMakerOptions,
} from '../guard/backends/sagemaker/index.js'
import { hasOwnGuard } from '../options/backend-options.js'
import { OPTION_NAMES, parseOptions, type Config } from '../options/config.js'
import { GUARD_OPTION_NAMES, isGuard, rejectPolicyParts } from '../options/guards.js'
import type { GuardOptions, LlamaGuardOptions, UpstreamOption } from '../options/index.js'
import type { CreatedGuard, Guard } from '../types.js'
import { httpUpstream, sagemakerChatUpstream, type Upstream } from '../upstream/index.js'

const LLAMA_CPP_CONTEXT_TOKENS = 8192
const OPENAI_URL = 'https://api.openai.com/v1'
const OMNI = 'omni-moderation-latest'

/**
 * Makes a guard from the same options and variables as `llamaGuard()`, for its option `guards` and for `anyUnsafe()`.
 * It does not read the variable `LLAMA_GUARD_GUARDS`, which is the middleware's; its panel comes from its own option
 * `guards`.
 *
 * @throws LlamaGuardError when a needed setting is missing or wrong, and for an option that has no effect on a guard.
 * @example
 * llamaGuard({ endpoint: 'guard-8b', guards: [{ fallback: createGuard({ guard: 'local' }) }] })
 */
export function createGuard(options: CreateGuardOptions = {}): CreatedGuard {
  const config = parseOptions(options, { ...process.env, LLAMA_GUARD_GUARDS: undefined })
  rejectPolicyParts(options, 'policy')
  const other =
    Object.keys(options).find((name) => OPTION_NAMES.includes(name) && !OWN_OPTIONS.includes(name)) ??
    (config.fallback && 'guards: [{ fallback }]') ??
    (config.shadowGuard && 'guards: [{ shadow }]')
  if (other === undefined) return guardsOf(config).guard
  throw invalidOption(
    `The option ${other} is set, and createGuard() ignores it: it belongs to llamaGuard(). Move it there.`,
  )
}

/** The options that make a guard. `guards` are its panel, and the small guard before it. */
export type CreateGuardOptions = GuardOptions & Pick<LlamaGuardOptions, 'guards' | 'threshold'>
const OWN_OPTIONS = [...GUARD_OPTION_NAMES, 'guards', 'threshold']

/** What judges, and every guard by the option that names it. */
export interface Guards {
  readonly guard: Guard
  readonly named: readonly NamedGuard[]
}

/** The guard of a configuration, with its panel and its cascade. */
export function guardsOf(config: Config): Guards {
  const { cascade: before, threshold, fallback = [], shadowGuard } = config
  const members = membersOf(config).map((member) => ({ option: member.option, guard: guardOfMember(member) }))
  const first = members.find(({ option }) => option === FIRST)
  const panel = members.filter((member) => member !== first)
  const [only, ...others] = panel
  const then = only !== undefined && others.length === 0 ? only.guard : anyUnsafe(panel.map(({ guard }) => guard))
  const named = [
    ...members,
    ...fallback.map((guard, index) => ({ option: `guards.fallback[${index}]`, guard })),
    ...(shadowGuard === undefined ? [] : [{ option: 'guards.shadow', guard: shadowGuard.guard }]),
  ]
  if (before === undefined || first === undefined) return { guard: then, named }
  if (threshold !== undefined && !(before.safeBelow <= threshold && threshold <= before.unsafeAbove))
    throw invalidOption(
      `The option threshold is ${threshold}; with a cascade it has to lie between safeBelow ${before.safeBelow} and ` +
        `unsafeAbove ${before.unsafeAbove}, or a verdict of the small guard would be final and overruled.`,
    )
  return { guard: cascade({ ...before, first: first.guard, then, firstMs: half(config.timeoutMs) }), named }
}

/** One guard of a configuration, with the options that describe it alone. */
export interface Member {
  /** The option that names it: `guard`, `guards[0]`, `guards.first`. */
  readonly option: string
  readonly config: Config
  /** True when its verdicts need scores. */
  readonly scores: boolean
}

const OWN = 'guard'
const FIRST = 'guards.first'

/** The share of the deadline that the small guard of a cascade may take. */
const half = (ms: number): number => Math.ceil(ms / 2)

/**
 * The guards of a configuration one by one: the first of its cascade, its own, those of its panel.
 * @throws LlamaGuardError for options of a guard that are missing or wrong. The message names the guard.
 */
export function membersOf(config: Config): readonly Member[] {
  const { guards = [], guardPositions, cascade: before } = config
  const scores = wantsScores(config)
  return [
    ...(before === undefined
      ? []
      : [memberOf(before.first, { ...config, timeoutMs: half(config.timeoutMs) }, true, FIRST)]),
    ...(hasOwnGuard(config)
      ? [{ option: OWN, config: { ...config, guards: undefined, cascade: undefined }, scores }]
      : []),
    ...guards.map((entry, index) => memberOf(entry, config, scores, `guards[${guardPositions[index] ?? index}]`)),
  ]
}

function memberOf(
  entry: Guard | GuardOptions,
  { timeoutMs, concurrency }: Config,
  scores: boolean,
  option: string,
): Member {
  const options = isGuard(entry) ? { guard: entry } : entry
  const title = `${option}${options.model === undefined ? '' : ` (${options.model})`}`
  return { option, scores, config: named(title, () => parseOptions({ timeoutMs, concurrency, ...options }, {})) }
}

/** Makes one guard of a panel or a cascade. */
export function guardOfMember({ option, config, scores }: Member): Guard {
  const guard = option === OWN ? oneGuard(config, scores) : named(option, () => oneGuard(config, scores))
  return guard === config.guard ? guard : madeHere(guard)
}

/** Puts the name of the guard before the message of an error. */
function named<T>(option: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!isLlamaGuardError(error)) throw error
    throw new LlamaGuardError(error.code, `${option}: ${error.message}`)
  }
}

function oneGuard(config: Config, logprobs: boolean): Guard {
  if (typeof config.guard === 'object') return config.guard
  if (config.actions?.['controversial'] !== undefined && config.model !== 'qwen3guard-gen')
    throw ignored('policy.actions.controversial', config)
  if (isPromptGuard(config.model) && config.guard !== 'local') return promptGuardOf(config, config.model)
  if (!readsChats(config) && config.guard === 'bedrock')
    throw invalidOption(
      `The guard "bedrock" sends chats, and ${config.model} reads a prompt of its own. Use gpt-oss-safeguard there.`,
    )
  if (readsChats(config) && (config.guard === 'sagemaker' || config.guard === 'llama-cpp'))
    throw invalidOption(
      `${config.model} reads chats, which the guard ${JSON.stringify(config.guard)} cannot send. Use guard: 'openai' with ` +
        "the URL of a server that makes its format, such as vLLM, or guard: 'bedrock'.",
    )
  switch (config.guard) {
    case 'local':
      return { ...createLocalGuard(), scored: true }
    case 'sagemaker': {
      const prompter = prompterOf(config)
      const complete = sagemakerComplete({ ...sagemakerOptions(config), maxNewTokens: prompter.maxNewTokens })
      return promptedGuard({ prompter, complete, identity: complete.identity, logprobs, images: 'markdown' })
    }
    case 'openai': {
      const { guardUrl = '', guardApiKey, guardModel, concurrency, timeoutMs } = config
      const prompter = textOnly(prompterOf(config))
      const complete = (readsChats(config) ? openAiChatComplete : openAiCompatibleComplete)({
        url: guardUrl,
        apiKey: guardApiKey,
        model: guardModel,
        concurrency,
        timeoutMs,
        maxNewTokens: prompter.maxNewTokens,
        thinks: config.model === 'gpt-oss-safeguard',
      })
      return promptedGuard({ prompter, complete, identity: complete.identity, logprobs })
    }
    case 'llama-cpp': {
      const { guardModel: modelPath = '', concurrency, timeoutMs } = config
      const full = textOnly(prompterOf(config))
      // llama.cpp allocates memory for every token of the context, so the context is smaller than the model's own.
      const prompter = { ...full, contextTokens: Math.min(full.contextTokens, LLAMA_CPP_CONTEXT_TOKENS) }
      const { contextTokens, maxNewTokens } = prompter
      const complete = llamaCppComplete({ modelPath, concurrency, timeoutMs, contextTokens, maxNewTokens })
      return promptedGuard({ prompter, complete, identity: complete.identity, logprobs })
    }
    case 'bedrock': {
      requireRegion()
      const prompter = prompterOf(config)
      const { guardModel: model = '', concurrency, timeoutMs } = config
      const complete = bedrockComplete({ model, concurrency, timeoutMs, maxNewTokens: prompter.maxNewTokens ?? 1024 })
      return promptedGuard({ prompter, complete, identity: complete.identity, logprobs })
    }
    case 'bedrock-guardrail': {
      requireRegion()
      const [, guardrail = '', version = 'DRAFT'] = /^(.*?)(?:@([^@]*))?$/.exec(config.guardModel ?? '') ?? []
      const { concurrency, timeoutMs } = config
      return bedrockGuardrail({ guardrail, version, concurrency, timeoutMs })
    }
    case 'openai-moderation': {
      const { guardUrl: url = OPENAI_URL, guardApiKey: apiKey = '', guardModel: model = OMNI } = config
      const { concurrency, timeoutMs } = config
      return openAiModeration({ url, apiKey, model, concurrency, timeoutMs })
    }
    default:
      throw invalidOption(`There is no guard ${JSON.stringify(config.guard satisfies never)}.`)
  }
}

/** True for a model whose prompt format only the server can make. */
const readsChats = ({ model }: Config): boolean => model === 'gpt-oss-safeguard' || model === 'nemotron-safety-guard'

function promptGuardOf(config: Config, model: PromptGuardName): Guard {
  if (config.guard !== 'sagemaker')
    throw invalidOption(
      `${model} is a text classifier, which the guard ${JSON.stringify(config.guard)} cannot ask. Use guard: 'sagemaker'.`,
    )
  const option = (['categories', 'task', 'instruction'] as const).find((name) => config[name] !== undefined)
  if (option !== undefined) throw ignored(`policy.${option}`, config)
  const classify = sagemakerClassify(sagemakerOptions(config))
  return promptGuard({ model, classify, identity: classify.identity })
}

const ignored = (option: string, { model }: Config): LlamaGuardError =>
  invalidOption(`The option ${option} is set, and ${model} ignores it. Remove it.`)

function sagemakerOptions(config: Config): SageMakerOptions {
  requireRegion()
  const { endpoint = '', inferenceComponent, targetVariant, concurrency, timeoutMs } = config
  return { endpoint, inferenceComponent, targetVariant, concurrency, timeoutMs }
}

export function createUpstream(option: UpstreamOption | undefined): Upstream | undefined {
  if (option === undefined) return undefined
  if (typeof option === 'string') return httpUpstream({ url: option })
  if ('forward' in option) return option as Upstream
  return 'url' in option ? httpUpstream(option) : sagemakerChatUpstream(option)
}

/** The prompter of a configuration. */
export function prompterOf({ model, categories, task, instruction, actions }: Config): Prompter {
  const controversial = actions?.['controversial']
  const policy = {
    ...(categories !== undefined && { categories }),
    ...(task !== undefined && { task }),
    ...(instruction !== undefined && { instruction }),
  }
  return createPrompter(model, policy, controversial === undefined ? {} : { controversial })
}

/** True when the policy reads scores. */
export function wantsScores({ threshold, categoryThresholds }: Config): boolean {
  return threshold !== undefined || categoryThresholds !== undefined
}
