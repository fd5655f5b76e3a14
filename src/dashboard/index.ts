// `guard.dashboard()`: a live page about the guards of this process. Settings are checked at once; the page, its
// counters and the playground are loaded only where somebody asks for a dashboard.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { invalidOption } from '../types/errors.js'
import type { LiveServices } from '../services/live.js'
import type { Next } from '../types.js'
import { besideStart, closeLoaded } from '../utils/beside-start.js'
import { type DashboardOptions, type DashboardSettings, readSettings } from './settings.js'

export type { DashboardOptions } from './settings.js'

/** A connect-style handler. */
export interface Dashboard {
  (req: IncomingMessage, res: ServerResponse, next?: Next): void
  /** Stops counting, and ends the open pages' streams. `guard.close()` does it too. */
  close(): void
}

/** Each counts by itself. */
const MOST_DASHBOARDS = 16

export function createDashboards(live: LiveServices, env: Readonly<Record<string, string | undefined>> = {}) {
  const opened = new Set<Dashboard>()
  return {
    /** @throws LlamaGuardError `invalid_option` or `unknown_option`. */
    open(options: DashboardOptions = {}): Dashboard {
      if (opened.size >= MOST_DASHBOARDS)
        throw invalidOption(
          `${MOST_DASHBOARDS} dashboards are open. Call guard.dashboard() once and mount what it returns, not once for ` +
            'each request.',
        )
      const dashboard = openDashboard(live, readSettings(options, env), () => opened.delete(dashboard))
      opened.add(dashboard)
      return dashboard
    },
    /** Closes all that were opened. */
    close: () => opened.forEach((dashboard) => dashboard.close()),
  }
}

function openDashboard(live: LiveServices, settings: DashboardSettings, onClose: () => void): Dashboard {
  const loaded = besideStart(import('./handler.js').then(({ createHandler }) => createHandler(live, settings)))
  const dashboard = (req: IncomingMessage, res: ServerResponse, next?: Next): void => {
    if (!isOurs(req)) return next?.()
    loaded
      .then((handler) => handler.answer(req, res))
      .catch((error: unknown) => (next === undefined || res.headersSent ? res.destroy() : next(error)))
  }
  const close = (): void => {
    onClose()
    void closeLoaded(loaded)
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
