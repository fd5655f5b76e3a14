// Where the values of options come from: LLAMA_GUARD_* variables, the policy file, code. Options of several parts are
// taken apart here, so that each source may give some of the parts.
import { readFileSync } from 'node:fs'
import { deprecate } from 'node:util'
import { invalidOption } from '../types/errors.js'
import { isObject } from '../utils/json.js'
import { hintForOption } from './hints.js'
import { fail, rejectUnknown } from './readers.js'

export const PREFIX = 'LLAMA_GUARD_'

/** Variables that are no field of the configuration. */
export const OTHER_VARIABLES =
  'POLICY UPSTREAM_URL UPSTREAM_API_KEY UPSTREAM_ENDPOINT DASHBOARD_TOKEN CACHE_SECRET LOG_LEVEL'.split(' ')

/** Options of several parts: the field of the configuration for each part. */
const PARTS = {
  policy: { categories: 'categories', task: 'task', instruction: 'instruction', actions: 'actions', url: 'policyUrl' },
  endpoint: { name: 'endpoint', inferenceComponent: 'inferenceComponent', variant: 'targetVariant' },
} as const

/** Options of version 0.2 that are a part of another now. They are still taken. */
const ALIASES: readonly string[] = ['categories', 'task', 'instruction', 'inferenceComponent', 'targetVariant']

export const isAlias = (name: string): boolean => ALIASES.includes(name)

export type Environment = Readonly<Record<string, string | undefined>>

/** Values by field of the configuration, each with the name under which it was given. */
export type Given = Record<string, { readonly value: unknown; readonly name: string }>

/** The name of a field where users write it: `policy.url` for `policyUrl`. */
export function placeOf(field: string): string {
  for (const [option, parts] of Object.entries(PARTS))
    for (const [part, its] of Object.entries(parts)) if (its === field && its !== option) return `${option}.${part}`
  return field
}

/**
 * What variables give, over the policy file that one of them names. An empty variable counts as not set, because
 * compose files write it so. `variables`: by field.
 */
export function fromEnvironment(env: Environment, variables: ReadonlyMap<string, string>): Given {
  const policy = `${PREFIX}POLICY`
  const given = env[policy] ? policyParts(env[policy], policy) : {}
  for (const [field, variable] of variables) {
    const name = PREFIX + variable
    if (env[name]) given[field] = { value: env[name], name }
  }
  const upstream = upstreamFrom(env)
  if (upstream !== undefined) given['upstream'] = { value: upstream, name: 'upstream' }
  return given
}

function upstreamFrom(env: Environment): object | undefined {
  const {
    LLAMA_GUARD_UPSTREAM_URL: url,
    LLAMA_GUARD_UPSTREAM_API_KEY: apiKey,
    LLAMA_GUARD_UPSTREAM_ENDPOINT: endpoint,
  } = env
  if (url && endpoint)
    throw invalidOption(
      'Both LLAMA_GUARD_UPSTREAM_URL and LLAMA_GUARD_UPSTREAM_ENDPOINT are set; a safe request can go ' +
        'to one of them. Unset the other.',
    )
  if (url) return apiKey ? { url, apiKey } : { url }
  return endpoint ? { endpoint } : undefined
}

/** What code gives, over the policy file that it names. `of` stands before each name in errors. */
export function fromCode(options: Readonly<Record<string, unknown>>, of = ''): Given {
  const { policy, ...others } = options
  const given = policy === undefined ? {} : policyParts(policy, `${of}policy`)
  const set = Object.entries(others).filter(([, value]) => value !== undefined)
  for (const [option, value] of set)
    if (option === 'endpoint' && isObject(value)) Object.assign(given, partsOf(option, value, of + option))
    else if (!isAlias(option)) given[option] = { value, name: of + option }
  for (const [option, value] of set) if (isAlias(option)) takeAlias(given, option, value)
  return given
}

function takeAlias(given: Given, option: string, value: unknown): void {
  const name = placeOf(option)
  if (given[option] !== undefined)
    throw invalidOption(
      `The options ${option} and ${name} are set, and are the same. Remove ${option}, its name in version 0.2.`,
    )
  given[option] = { value, name }
  // Node.js prints a warning of one code once in a process.
  deprecate(() => undefined, `The option ${option} of llamaGuard() is now ${name}.`, PREFIX + option)()
}

function partsOf(option: keyof typeof PARTS, value: Record<string, unknown>, name: string): Given {
  const parts: Readonly<Record<string, string>> = PARTS[option]
  rejectUnknown(Object.keys(value), Object.keys(parts), `${name} key`, hintForOption)
  const set = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return Object.fromEntries(set.map(([part, inner]) => [parts[part]!, { value: inner, name: `${name}.${part}` }]))
}

/** The parts of a policy, given as an object or as the path of its file. */
export function policyParts(value: unknown, name: string): Given {
  if (typeof value === 'string' && value !== '') return policyFileParts(parsedFile(value, name), name)
  if (isObject(value)) return partsOf('policy', value, name)
  throw fail(name, value, `the path of a JSON file, or an object with ${Object.keys(PARTS.policy).join(', ')}`)
}

/** The parts of a policy file, which may hold the option `threshold` too: it is tuned, and tried, with the policy. */
export function policyFileParts(value: unknown, name: string): Given {
  if (!isObject(value)) throw fail(name, value, `a JSON object with ${Object.keys(PARTS.policy).join(', ')}, threshold`)
  const { threshold, ...policy } = value
  return {
    ...partsOf('policy', policy, name),
    ...(threshold !== undefined && { threshold: { value: threshold, name: `${name}.threshold` } }),
  }
}

function parsedFile(path: string, name: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw invalidOption(
      `${name} names ${JSON.stringify(path)}, which could not be read as a JSON file: ${code ?? message}.`,
      { cause },
    )
  }
}
