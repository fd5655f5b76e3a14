// Both Express majors and bare node:http under one roof, and a wait that fails instead of hanging.
import { createRequire } from 'node:module'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import express, { type Express, type RequestHandler } from 'express'
import { llamaGuard } from '../../src/llama-guard.js'
import type { LlamaGuard } from '../../src/llama-guard.js'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import type { Middleware } from '../../src/types.js'
import { markerGuard, type MarkerGuard } from './guards.js'
import { completion, send, serve, type Reply, type Running, type SendOptions } from './http.js'
import { withProtection } from '../../src/options/protection.js'

export type Handler = (req: IncomingMessage, res: ServerResponse) => unknown
export type ExpressModule = typeof express

const express4 = createRequire(import.meta.url)('express4') as ExpressModule

/** Express 4 and 5, by the name a test title shows. */
export const EXPRESSES: readonly (readonly [string, ExpressModule])[] = [
  ['Express 4', express4],
  ['Express 5', express],
]

export type Mount = (middlewares: readonly Middleware[], handler: Handler) => RequestListener

export function onExpress(module: ExpressModule): Mount {
  return (middlewares, handler) => {
    const app: Express = module()
    // Error pages would otherwise be printed on the console of the test run.
    app.set('env', 'test')
    for (const middleware of middlewares) app.use(middleware)
    app.use(handler as RequestHandler)
    return app as RequestListener
  }
}

export const onNode: Mount = (middlewares, handler) => (req, res) => {
  const step = (index: number): void => {
    const middleware = middlewares[index]
    if (middleware === undefined) void handler(req, res)
    else middleware(req, res, () => step(index + 1))
  }
  step(0)
}

/** Every server the middleware promises to work in, and how to mount a chain of middleware and a handler there. */
export const SERVERS: readonly (readonly [string, Mount])[] = [
  ...EXPRESSES.map(([name, module]) => [name, onExpress(module)] as const),
  ['node:http', onNode],
]

/** Rejects when nothing has come in time: a hang must fail by name, not as a test that ran out of time. */
export async function within<T>(promise: Promise<T>, what = 'the response', ms = 40_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

export const ask = (url: string, options?: SendOptions): Promise<Reply> => within(send(url, options))

/** The middleware with a guard of known mind, no cache and no log. */
export function guarded(options: LlamaGuardOptions = {}): LlamaGuard & { readonly guard: MarkerGuard } {
  const guard = (options.guard as MarkerGuard | undefined) ?? markerGuard()
  return Object.assign(
    llamaGuard({ logger: false, cacheMax: 0, ...withProtection({ breaker: false }), ...options, guard }),
    { guard },
  )
}

/** Answers with a whole chat completion. */
export const saying =
  (text = 'fine'): Handler =>
  (_req, res) =>
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion(text)))

/** Serves while `use` runs, and closes whatever happens. */
export async function serving<T>(listener: RequestListener, use: (server: Running) => Promise<T>): Promise<T> {
  const server = await serve(listener)
  try {
    return await use(server)
  } finally {
    await server.close()
  }
}

/** What differs between a guarded reply and its unguarded twin by right. */
export function comparable({ status, headers, body, complete }: Reply): {
  status: number
  headers: object
  body: string
  complete: boolean
} {
  const { date: _date, 'llama-guard': _verdicts, 'server-timing': _timings, ...rest } = headers
  return { status, headers: rest, body: body.toString('latin1'), complete }
}
