// `guard.dashboard()`: a live page about the guards of this process. Settings are checked at once; the page, its
// counters and the playground are loaded only where somebody asks for a dashboard.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LlamaGuardError } from '../errors.js'
import type { LiveServices } from '../live-services.js'
import type { Next } from '../types.js'
import type { Handler } from './handler.js'
import type { Price } from './snapshot.js'

export interface DashboardOptions {
  /**
   * A long random text that opens the page, in an `Authorization: Bearer` header or in the form that the page shows.
   * With one the page may be asked for from anywhere, so serve it over TLS. Default: the variable
   * `LLAMA_GUARD_DASHBOARD_TOKEN`, else none, and only this machine is let in.
   */
  readonly token?: string | undefined
  /**
   * Adds a form that judges texts of the reader's own with any configured guard and policy. It asks the real guards, at
   * their cost. Default: false.
   */
  readonly playground?: boolean | undefined
  /** What the guard's endpoint costs in US dollars an hour, for the estimate. Default: unknown. */
  readonly dollarsPerHour?: number | undefined
  /** Or what the guard costs in US dollars for a million tokens read and written. Default: unknown. */
  readonly dollarsPerMillionTokens?: number | undefined
}

/** A connect-style handler. */
export interface Dashboard {
  (req: IncomingMessage, res: ServerResponse, next?: Next): void
  /** Stops counting, and ends the open pages' streams. `guard.close()` does it too. */
  close(): void
}

/** What {@link DashboardOptions} come to. */
export interface DashboardSettings {
  readonly token: string | undefined
  readonly playground: boolean
  readonly price: Price | undefined
}

export interface Dashboards {
  /** @throws LlamaGuardError `invalid_option` or `unknown_option`. */
  open(options?: DashboardOptions): Dashboard
  /** Closes all that were opened. */
  close(): void
}

/** Each counts by itself. */
const MOST_DASHBOARDS = 16

export function createDashboards(
  live: LiveServices,
  env: Readonly<Record<string, string | undefined>> = {},
): Dashboards {
  const opened = new Set<Dashboard>()
  return {
    open(options = {}) {
      if (opened.size >= MOST_DASHBOARDS)
        throw new LlamaGuardError(
          'invalid_option',
          `${MOST_DASHBOARDS} dashboards are open. Call guard.dashboard() once and mount what it returns, not once for ` +
            'each request.',
        )
      const dashboard = openDashboard(live, readSettings(options, env), () => opened.delete(dashboard))
      opened.add(dashboard)
      return dashboard
    },
    close: () => opened.forEach((dashboard) => dashboard.close()),
  }
}

function openDashboard(live: LiveServices, settings: DashboardSettings, onClose: () => void): Dashboard {
  const loaded: Promise<Handler> = import('./handler.js').then(({ createHandler }) => createHandler(live, settings))
  // Told to whoever asks for the page. Nobody may, and an app need not end for it.
  loaded.catch(() => undefined)
  const dashboard = (req: IncomingMessage, res: ServerResponse, next?: Next): void => {
    if (!isOurs(req)) return next?.()
    loaded
      .then((handler) => handler.answer(req, res))
      .catch((error: unknown) => (next === undefined || res.headersSent ? res.destroy() : next(error)))
  }
  const close = (): void => {
    onClose()
    loaded.then(
      (handler) => handler.close(),
      () => undefined,
    )
  }
  return Object.assign(dashboard, { close })
}

/**
 * True for the page itself. What lies below the mount, and every other path of an app that mounts the dashboard at its
 * root, belongs to others. A route, and bare node:http, have chosen the path themselves.
 */
function isOurs({ url = '/', originalUrl, route }: IncomingMessage & Mounted): boolean {
  const [path = ''] = url.split('?', 1)
  const routed = route?.path !== undefined && [route.path, `${route.path}/`].includes(path)
  return path === '' || path === '/' || routed || originalUrl === undefined
}

/** What Express and connect say of where a handler is mounted. */
interface Mounted {
  readonly originalUrl?: string
  readonly route?: { readonly path?: string }
}

const OPTIONS: Readonly<Record<keyof DashboardOptions, true>> = {
  token: true,
  playground: true,
  dollarsPerHour: true,
  dollarsPerMillionTokens: true,
}

function readSettings(options: DashboardOptions, env: Readonly<Record<string, string | undefined>>): DashboardSettings {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTIONS, name))
  if (unknown !== undefined)
    throw new LlamaGuardError(
      'unknown_option',
      `guard.dashboard() has no option ${JSON.stringify(unknown)}. It has ${Object.keys(OPTIONS).join(', ')}.`,
    )
  const { playground = false, dollarsPerHour, dollarsPerMillionTokens } = options
  if (typeof playground !== 'boolean') throw wrong('playground', 'true or false')
  if (dollarsPerHour !== undefined && dollarsPerMillionTokens !== undefined)
    throw wrong('dollarsPerHour', 'left out beside dollarsPerMillionTokens: the guard is paid for in one way')
  for (const [name, price] of Object.entries({ dollarsPerHour, dollarsPerMillionTokens }))
    if (price !== undefined && !(typeof price === 'number' && price >= 0 && Number.isFinite(price)))
      throw wrong(name, 'a number of US dollars')
  const per = dollarsPerHour === undefined ? 'million-tokens' : 'hour'
  const dollars = dollarsPerHour ?? dollarsPerMillionTokens
  return { token: readToken(options, env), playground, price: dollars === undefined ? undefined : { dollars, per } }
}

/** An empty variable counts as not set, because compose files write it so. An empty option is a mistake. */
function readToken({ token }: DashboardOptions, env: Readonly<Record<string, string | undefined>>): string | undefined {
  // Files of secrets end with a line break that nobody types.
  if (token === undefined) return env['LLAMA_GUARD_DASHBOARD_TOKEN']?.trim() || undefined
  if (typeof token !== 'string' || token.trim() === '') throw wrong('token', 'a long random text, or left out')
  return token.trim()
}

function wrong(option: string, wanted: string): LlamaGuardError {
  return new LlamaGuardError('invalid_option', `The option ${option} of guard.dashboard() should be ${wanted}.`)
}
