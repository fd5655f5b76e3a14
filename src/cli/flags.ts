// Flags that several commands share, and the readers of their values. A wrong value is told as commander
// tells it, exit code 2.
import { type Command, InvalidArgumentError, Option } from 'commander'
import { invalidOption, isLlamaGuardError } from '../types/errors.js'
import { guardsNamed } from '../options/guards.js'
import { type Backend, BACKENDS, type LlamaGuardOptions, MODELS } from '../options/index.js'
import type { Io } from './io.js'

export interface GuardFlags {
  guard?: LlamaGuardOptions
  endpoint?: string
  model?: LlamaGuardOptions['model']
  mode?: LlamaGuardOptions['mode']
  onError?: LlamaGuardOptions['onError']
  upstreamUrl?: string
  upstreamEndpoint?: string
}

/** The flags that choose the guard, over the variables that do. */
export function guarded(command: Command): Command {
  return command
    .option('--guard <guard>', GUARD_HELP, guardNamed)
    .option('--endpoint <name>', 'SageMaker endpoint of the guard (LLAMA_GUARD_ENDPOINT)')
    .addOption(new Option('--model <model>', 'guard model (LLAMA_GUARD_MODEL)').choices([...MODELS]))
}

const GUARD_HELP = `local, model@endpoint, model@https://host/v1, or a backend by the variables: ${BACKENDS.join(', ')}`

/** The one way to name a guard, here and in `LLAMA_GUARD_GUARDS`. */
export function guardNamed(text: string): LlamaGuardOptions {
  if (BACKENDS.some((backend) => backend === text)) return { guard: text as Backend }
  try {
    const [only, second] = guardsNamed(text, '--guard')
    if (only === undefined || second !== undefined) throw new InvalidArgumentError('One is wanted.')
    return only
  } catch (error) {
    throw new InvalidArgumentError(isLlamaGuardError(error) ? error.message : `It should be ${GUARD_HELP}.`)
  }
}

/** How results are written. */
const OUTPUTS = ['text', 'json', 'markdown'] as const
export type OutputFormat = (typeof OUTPUTS)[number]
export const outputOption = (): Option =>
  new Option('--output <format>', 'text for people, json for programs, markdown for reports')
    .choices(OUTPUTS)
    .default('text')

export function optionsOf(
  { guard, endpoint, model, mode, onError, upstreamUrl, upstreamEndpoint }: GuardFlags,
  env: Io['env'],
): LlamaGuardOptions {
  for (const [name, flag] of Object.entries({ endpoint, model }))
    if (flag !== undefined && guard?.[name as 'endpoint' | 'model'] !== undefined)
      throw invalidOption(`--guard and --${name} both name the ${name}. Leave one out.`)
  if (upstreamUrl !== undefined && upstreamEndpoint !== undefined)
    throw invalidOption(
      '--upstream-url and --upstream-endpoint are given; a safe request can go to one. Leave one out.',
    )
  const apiKey = env['LLAMA_GUARD_UPSTREAM_API_KEY']
  const upstream =
    upstreamUrl !== undefined
      ? { url: upstreamUrl, ...(apiKey && { apiKey }) }
      : upstreamEndpoint !== undefined
        ? { endpoint: upstreamEndpoint }
        : undefined
  const given = { endpoint, model, mode, onError, upstream }
  return { ...guard, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }
}

export function count(least: number, most = Infinity): (text: string) => number {
  return (text) => {
    if (!/^\d{1,9}$/.test(text) || Number(text) < least || Number(text) > most)
      throw new InvalidArgumentError(`A whole number from ${least}${most === Infinity ? '' : ` to ${most}`} is wanted.`)
    return Number(text)
  }
}

export function share(text: string): number {
  if (!/^[01](\.\d+)?$|^\.\d+$/.test(text) || Number(text) > 1)
    throw new InvalidArgumentError('A number from 0 to 1 is wanted, such as 0.05.')
  return Number(text)
}

/** `1..4` */
export function range(text: string): { min: number; max: number } {
  const [, min, max] = /^(\d{1,4})\.\.(\d{1,4})$/.exec(text) ?? []
  if (min === undefined || max === undefined) throw new InvalidArgumentError('Write it as MIN..MAX, such as 1..4.')
  return { min: Number(min), max: Number(max) }
}

const MEASURES = ['precision', 'recall', 'f1', 'falsePositiveRate', 'auprc', 'auroc']

/** `recall=0.9`, repeatable. */
export function bound(text: string, bounds: Record<string, number>): Record<string, number> {
  const [, measure = '', value = ''] = /^([A-Za-z0-9]{1,32})=(.{1,32})$/.exec(text) ?? []
  if (!MEASURES.includes(measure))
    throw new InvalidArgumentError(`Write it as measure=value, with one of ${MEASURES.join(', ')}.`)
  return { ...bounds, [measure]: share(value) }
}

export function tag(text: string, tags: Record<string, string>): Record<string, string> {
  const [, key, value] = /^([^=]{1,128})=(.{0,256})$/.exec(text) ?? []
  if (key === undefined || value === undefined) throw new InvalidArgumentError('Write it as key=value.')
  return { ...tags, [key]: value }
}
