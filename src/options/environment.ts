// Reads options from LLAMA_GUARD_* variables and from the policy file that LLAMA_GUARD_POLICY names.
import { readFileSync } from 'node:fs'
import { LlamaGuardError } from '../types/errors.js'
import { hintForOption } from './hints.js'
import { fail, rejectUnknown } from './readers.js'

export const PREFIX = 'LLAMA_GUARD_'

/** Variables that feed more than one option, or an option of another shape. */
export const OTHER_VARIABLES = [
  'POLICY',
  'UPSTREAM_URL',
  'UPSTREAM_API_KEY',
  'UPSTREAM_ENDPOINT',
  'DASHBOARD_TOKEN',
  'CACHE_SECRET',
  'LOG_LEVEL',
]

const POLICY_KEYS = ['categories', 'task', 'instruction', 'actions', 'policyUrl', 'threshold']

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The text of each variable, by the option it sets. An empty variable counts as not set, because compose files write
 * it so.
 */
export function fromEnvironment(env: Environment, variables: ReadonlyMap<string, string>): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const [option, variable] of variables) {
    const value = env[PREFIX + variable]
    if (value !== undefined && value !== '') found[option] = value
  }
  const upstream = upstreamFrom(env)
  if (upstream !== undefined) found['upstream'] = upstream
  return found
}

function upstreamFrom(env: Environment): object | undefined {
  const {
    LLAMA_GUARD_UPSTREAM_URL: url,
    LLAMA_GUARD_UPSTREAM_API_KEY: apiKey,
    LLAMA_GUARD_UPSTREAM_ENDPOINT: endpoint,
  } = env
  if (url && endpoint)
    throw new LlamaGuardError(
      'invalid_option',
      'Both LLAMA_GUARD_UPSTREAM_URL and LLAMA_GUARD_UPSTREAM_ENDPOINT are set; a safe request can go ' +
        'to one of them. Unset the other.',
    )
  if (url) return apiKey ? { url, apiKey } : { url }
  return endpoint ? { endpoint } : undefined
}

/**
 * @throws LlamaGuardError `invalid_option` when LLAMA_GUARD_POLICY names no file with a JSON object, `unknown_option`
 * for an unknown key in it.
 */
export function fromPolicyFile(env: Environment): Record<string, unknown> {
  const path = env['LLAMA_GUARD_POLICY']
  if (!path) return {}
  let policy: unknown
  try {
    policy = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new LlamaGuardError(
      'invalid_option',
      `LLAMA_GUARD_POLICY names ${JSON.stringify(path)}, which could not be read as a JSON file.`,
      { cause },
    )
  }
  return policyObject(policy, 'LLAMA_GUARD_POLICY')
}

/** @throws LlamaGuardError `invalid_option` when it is no object, `unknown_option` for an unknown key in it. */
export function policyObject(policy: unknown, name: string): Record<string, unknown> {
  if (typeof policy !== 'object' || policy === null || Array.isArray(policy))
    throw fail(name, policy, `a JSON object with ${POLICY_KEYS.join(', ')}`)
  rejectUnknown(Object.keys(policy), POLICY_KEYS, 'policy key', hintForOption)
  return { ...policy }
}
