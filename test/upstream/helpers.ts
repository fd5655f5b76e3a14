// A server that forwards what it gets to one upstream, as the middleware would after a safe verdict.
import { buffer } from 'node:stream/consumers'
import { isLlamaGuardError } from '../../src/types/errors.js'
import type { LlamaGuardError } from '../../src/types/errors.js'
import type { Upstream } from '../../src/upstream/index.js'
import { closing } from '../helpers/closing.js'
import { serve, type Running } from '../helpers/http.js'

export interface Gateway extends Running {
  /** What `forward` rejected with, oldest first. */
  readonly errors: LlamaGuardError[]
  /** How many calls have ended, well or not. */
  readonly ended: () => number
}

/** JSON bodies are parsed and handed over as judged; a request of another type goes on as it is. Closed with its upstream. */
export async function gateway(upstream: Upstream): Promise<Gateway> {
  const errors: LlamaGuardError[] = []
  let ended = 0
  closing(upstream)
  const server = await serve((req, res) => {
    void (async () => {
      const controller = new AbortController()
      res.once('close', () => controller.abort())
      const json = /json/.test(req.headers['content-type'] ?? '')
        ? (JSON.parse((await buffer(req)).toString()) as Record<string, unknown>)
        : undefined
      try {
        await upstream.forward({ req, res, body: json, signal: controller.signal, path: req.url ?? '/' })
      } catch (error) {
        if (!isLlamaGuardError(error)) throw error
        errors.push(error)
        if (res.headersSent) res.destroy()
        else
          res
            .writeHead(error.status, { 'content-type': 'application/json' })
            .end(JSON.stringify({ error: { code: error.code, message: error.message } }))
      } finally {
        ended += 1
      }
    })()
  })
  return closing({ ...server, errors, ended: () => ended })
}

export function post(front: Gateway, body: object | string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${front.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    redirect: 'manual',
    ...init,
  })
}
