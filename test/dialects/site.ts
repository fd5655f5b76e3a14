// A guarded app for the tests of one API. The guard and the options are new in each test, which may set others.
import express, { type Express } from 'express'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { llamaGuard, type LlamaGuardOptions } from '../../src/index.js'
import { markerGuard, type MarkerGuard } from '../helpers/guards.js'
import { type Running, serve } from '../helpers/http.js'

export interface Site {
  readonly url: string
  guard: MarkerGuard
  options: LlamaGuardOptions
}

/** `routes` are behind the guard, and what is mounted with `before` is before it. */
export function guardedSite(
  routes: (app: Express) => unknown,
  before: (app: Express) => unknown = () => undefined,
): Site {
  let server: Running
  const site: Site = {
    guard: markerGuard(),
    options: {},
    get url() {
      return server.url
    },
  }
  beforeAll(async () => {
    const app = express()
    before(app)
    app.use((req, res, next) =>
      llamaGuard({ guard: site.guard, windowMs: 20, cacheMax: 0, logger: false, ...site.options })(req, res, next),
    )
    routes(app)
    server = await serve(app)
  })
  afterAll(() => server.close())
  beforeEach(() => void Object.assign(site, { guard: markerGuard(), options: {} }))
  return site
}

/** Mounts a parser of JSON before the guard. */
export const parsedJson = (app: Express): unknown => app.use(express.json())
