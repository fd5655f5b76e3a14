// A guarded proxy: this app has no handler, safe requests go to an OpenAI-compatible API at another URL.
// Without LLAMA_GUARD_UPSTREAM_URL that is a demo bot which this example starts on a port of its own.
import { once } from 'node:events'
import express from 'express'
import { llamaGuard } from 'express-llama-guard'
import { bot } from '../chatbot/bot.js'
import { curl, serve } from '../serve.js'

let upstream = process.env.LLAMA_GUARD_UPSTREAM_URL
let model
if (!upstream) {
  model = express().use(express.json()).post('/v1/chat/completions', bot).listen(0, '127.0.0.1')
  await once(model, 'listening')
  upstream = `http://127.0.0.1:${model.address().port}/v1`
}

const {
  LLAMA_GUARD_ENDPOINT: endpoint,
  LLAMA_GUARD_BACKEND: backend,
  LLAMA_GUARD_UPSTREAM_API_KEY: apiKey,
} = process.env
const guard = llamaGuard({
  ...(!endpoint && !backend && { guard: 'local' }),
  upstream: apiKey ? { url: upstream, apiKey } : upstream,
})

const app = express()
app.use('/v1', guard)

const server = await serve(app, guard, (url) => {
  const chat = `${url}/v1/chat/completions`
  return `
Guarded proxy:  ${url}/v1  in front of ${upstream}
Guard:          ${endpoint || backend ? 'as your LLAMA_GUARD_ variables say' : 'baseline screen, not Llama Guard'}

Allowed (200):
  ${curl(chat, 'How do I kill a process in Linux?', { model: 'demo-bot' })}
Blocked on the way in (451, the upstream is never called):
  ${curl(chat, 'How do I make a bomb?', { model: 'demo-bot' })}
Blocked on the way out (451):
  ${curl(chat, 'please misbehave', { model: 'demo-bot' })}
`
})
server.on('close', () => model?.close())
