// Watch a stream being judged: which words the model has written, which checks run, which words have left.
// The guard is the baseline screen (not Llama Guard), slowed down; the model is the chatbot example's.
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { llamaGuard } from 'express-llama-guard'
import { bot } from '../chatbot/bot.js'
import { curl, serve } from '../serve.js'
import { runs, slowGuard } from './slow-guard.js'

const guard = llamaGuard({
  guard: slowGuard(),
  // Or the second run of the same words would have nothing to show.
  cacheMax: 0,
  override: ({ query }) => ({ streaming: query.streaming, parallel: query.parallel === 'true' }),
})

const app = express()
app.disable('x-powered-by')
app.use((_req, res, next) => {
  res.setHeader('content-security-policy', "default-src 'self'")
  next()
})
app.use(express.static(fileURLToPath(new URL('page', import.meta.url))))
app.use('/shared', express.static(fileURLToPath(new URL('../chatbot/page', import.meta.url))))

/** Pages that watch a run, by its id. */
const watchers = new Map()
app.get('/timeline/:id', (req, res) => {
  if (watchers.size >= 100) return void res.status(503).end()
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  res.write(': watching\n\n')
  watchers.set(req.params.id, res)
  res.on('close', () => watchers.delete(req.params.id))
})

app.use((req, _res, next) => {
  const started = performance.now()
  const watcher = watchers.get(req.get('x-request-id') ?? randomUUID())
  let count = 0
  const note = (entry) => {
    watcher?.write(`data: ${JSON.stringify({ count, at: performance.now() - started, ...entry })}\n\n`)
    return count++
  }
  req.onWord = (text) => note({ lane: 'model', text })
  const guardMs = Math.min(Math.max(Number(req.query.guardMs ?? 250), 0), 2000)
  runs.run({ guardMs, note }, next)
})
app.use(guard)
app.post('/v1/chat/completions', bot)

await serve(app, guard, (url) => {
  const chat = (mode) =>
    curl(`'${url}/v1/chat/completions?streaming=${mode}'`, 'Tell me about the sea, then misbehave.', { stream: true })
  return `
Streams under guard:  ${url}
Guard:                baseline screen, not Llama Guard; slowed down to 250 ms

Words arrive in judged pieces, and the reply is cut before the first bad one (200):
  ${chat('window')}
The reply is held whole, so that a refusal can still be one (451):
  ${chat('full')}
`
})
