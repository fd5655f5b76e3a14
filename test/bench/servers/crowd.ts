// An app behind llamaGuard() that plays its own model: it writes a word every 30 ms, or answers JSON at once. Each
// event says in `created` when the model wrote it.
import type { RequestHandler } from 'express'
import { llamaGuard } from '../../../src/llama-guard.js'
import { withProtection } from '../../../src/options/protection.js'
import { chunkOf, prose, replyBody } from '../kit/chat.js'
import { chatApp, listen } from './app.js'

const WORDS = 300
const WORD_MS = 30
const words = prose(WORDS * 4).match(/[^]{4}/g) ?? []

const speak: RequestHandler = (req, res) => {
  if ((req.body as { stream?: boolean }).stream !== true) return void res.type('json').send(replyBody(400))
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  const started = performance.now()
  let next = 0
  const write = (): void => {
    if (res.destroyed) return
    const word = words[next++]
    res.write(chunkOf(word, word === undefined ? 'stop' : null, Date.now()))
    if (word === undefined) return void res.end('data: [DONE]\n\n')
    setTimeout(write, started + next * WORD_MS - performance.now())
  }
  write()
}

const guard = llamaGuard({
  endpoint: 'llama-guard',
  logger: false,
  cacheMax: 0,
  parallel: true,
  timeoutMs: 60_000,
  streaming: process.env['PACE'] === 'fixed' ? 'fixed' : 'window',
  ...withProtection({ queue: 100_000, breaker: false }),
})
listen(chatApp(guard as RequestHandler).post('/v1/chat/completions', speak))
