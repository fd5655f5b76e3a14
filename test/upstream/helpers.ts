// A server that forwards what it gets to one upstream, as the middleware would after a safe verdict.
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isLlamaGuardError } from '../../src/types/errors.js'
import type { LlamaGuardError } from '../../src/types/errors.js'
import type { Upstream } from '../../src/upstream/index.js'

export interface Listening {
  readonly url: string
  close(): Promise<void>
}

export async function listen(handler: (req: IncomingMessage, res: ServerResponse) => void): Promise<Listening> {
  const server: Server = createServer(handler)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

export async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

export interface Gateway extends Listening {
  /** What `forward` rejected with, oldest first. */
  readonly errors: LlamaGuardError[]
  /** How many calls have ended, well or not. */
  readonly ended: () => number
}

/** JSON bodies are parsed and handed over as judged; a request of another type goes on as it is. */
export async function gateway(upstream: Upstream): Promise<Gateway> {
  const errors: LlamaGuardError[] = []
  let ended = 0
  const server = await listen((req, res) => {
    void (async () => {
      const controller = new AbortController()
      res.once('close', () => controller.abort())
      const json = /json/.test(req.headers['content-type'] ?? '')
        ? (JSON.parse((await readBody(req)).toString('utf8')) as Record<string, unknown>)
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
  return { ...server, errors, ended: () => ended }
}
