// Tells the operator, once, of a guard that stands behind what it should judge.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '../types.js'

interface Layer {
  readonly handle?: unknown
  readonly route?: { readonly path?: unknown; readonly methods?: Readonly<Record<string, boolean>> }
}

/** The layers of an Express application. The getter `router` throws in Express 4, which has `_router`. */
interface Application {
  readonly _router?: { readonly stack?: readonly Layer[] }
  readonly router?: { readonly stack?: readonly Layer[] }
}

const MAX_ROUTES = 5

export type TellOrder = (req: IncomingMessage, res: ServerResponse, logger: Logger) => void

export function createOrderCheck(middleware: unknown): TellOrder {
  let asked = false
  let answered = false
  return (req, res, logger) => {
    if (res.writableEnded && !answered) {
      answered = true
      logger.warn(
        { method: req.method },
        'The guard was asked after the handler had answered, so nothing was judged. Mount it before the handler.',
      )
    }
    if (asked) return
    asked = true
    const routes = routesBefore(middleware, (req as { app?: Application }).app)
    if (routes.length > 0)
      logger.info(
        { routes: routes.slice(0, MAX_ROUTES) },
        'These routes stand before the guard and are not judged. Where one is a chat, mount the guard above it.',
      )
  }
}

/** The routes before the guard that take a body, of the application and of its routers. */
function routesBefore(middleware: unknown, app: Application | undefined): readonly string[] {
  const layers = (app?._router ?? app?.router)?.stack ?? []
  const own = layers.findIndex(({ handle }) => handle === middleware)
  return layers
    .slice(0, Math.max(own, 0))
    .flatMap((layer) => [layer, ...((layer.handle as { stack?: readonly Layer[] } | undefined)?.stack ?? [])])
    .flatMap(({ route }) =>
      route?.methods?.['post'] || route?.methods?.['_all'] ? [`POST ${String(route.path)}`] : [],
    )
}
