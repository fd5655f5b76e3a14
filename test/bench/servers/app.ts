// The chat app every contender runs: Express, a JSON body, one call to the LLM, its reply handed on as it comes.
import express, { type Express, type RequestHandler } from 'express'
import { pipeline } from 'node:stream/promises'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'
import { report } from '../kit/report.js'

export const llm = new Pool(process.env['LLM_URL'] ?? '', { connections: 4096, headersTimeout: 0, bodyTimeout: 0 })

export function askLlm(body: unknown) {
  return llm.request({
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

// A client that leaves is no error here.
export const handOn: RequestHandler = async (req, res) => {
  const reply = await askLlm(req.body)
  res.writeHead(reply.statusCode, { 'content-type': reply.headers['content-type'] })
  if ((req.body as { stream?: boolean }).stream === true) await pipeline(reply.body, res).catch(() => undefined)
  else res.end(Buffer.from(await reply.body.arrayBuffer()))
}

export function chatApp(...before: RequestHandler[]): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(express.json({ limit: '10mb' }), ...before)
  return app
}

export function listen(app: Express): void {
  const server = app.listen(0, '127.0.0.1', 4096, () => report((server.address() as AddressInfo).port))
  server.keepAliveTimeout = 60_000
}
