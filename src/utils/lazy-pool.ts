// A connection pool of undici that loads undici beside the start of the app. Importing undici takes 35 to 60 ms, which
// `import 'express-llama-guard'` would otherwise add to every start, also of apps that never use it.
import type { Dispatcher, Pool } from 'undici'
import { besideStart } from './beside-start.js'

export type LazyPool = Pick<Pool, 'close' | 'destroy'> & {
  /** Sends a request. Resolves with the head of the answer; rejects as `Pool.request` does. */
  request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>
}

/** Makes a pool to one origin, like `new Pool(origin, options)`. It opens no connection before the first request. */
export function lazyPool(origin: string, options: Pool.Options): LazyPool {
  const loading = besideStart(import('undici').then(({ Pool }) => new Pool(origin, options)))
  return {
    request: async (request) => (await loading).request(request),
    close: async () => (await loading).close(),
    destroy: async () => (await loading).destroy(),
  }
}
