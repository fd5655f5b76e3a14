// The settings of a dashboard: options over the variable, checked when the handler is made.
import { invalidOption, LlamaGuardError } from '../types/errors.js'

type Environment = Readonly<Record<string, string | undefined>>

export interface DashboardOptions {
  /**
   * A long random text that opens the page, in an `Authorization: Bearer` header or in the form that the page shows.
   * With one the page may be asked for from anywhere, so serve it over TLS. Default: the variable
   * `LLAMA_GUARD_DASHBOARD_TOKEN`, else none, and only this machine is let in.
   */
  readonly token?: string | undefined
  /**
   * Adds a form that judges texts of the reader's own with any configured guard. It asks the real guards, at their
   * cost. Default: false.
   */
  readonly playground?: boolean | undefined
}

/** What {@link DashboardOptions} come to. */
export interface DashboardSettings {
  readonly token: string | undefined
  readonly playground: boolean
}

const OPTIONS: readonly string[] = ['token', 'playground'] satisfies (keyof DashboardOptions)[]

/** @throws LlamaGuardError `invalid_option` or `unknown_option`. */
export function readSettings(options: DashboardOptions, env: Environment): DashboardSettings {
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name))
  if (unknown !== undefined)
    throw new LlamaGuardError(
      'unknown_option',
      `guard.dashboard() has no option ${JSON.stringify(unknown)}. It has ${OPTIONS.join(', ')}.`,
    )
  const { playground = false } = options
  if (typeof playground !== 'boolean') throw wrong('playground', 'true or false')
  return { token: readToken(options, env), playground }
}

/** An empty variable counts as not set, because compose files write it so. An empty option is a mistake. */
function readToken({ token }: DashboardOptions, env: Environment): string | undefined {
  // Files of secrets end with a line break that nobody types.
  if (token === undefined) return env['LLAMA_GUARD_DASHBOARD_TOKEN']?.trim() || undefined
  if (typeof token !== 'string' || token.trim() === '') throw wrong('token', 'a long random text, or left out')
  return token.trim()
}

function wrong(option: string, wanted: string): LlamaGuardError {
  return invalidOption(`The option ${option} of guard.dashboard() should be ${wanted}.`)
}
