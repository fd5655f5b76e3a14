// Hono on Node: the guard stands in front of the app, on the same server.
// The guard is the baseline screen, not Llama Guard.
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { llamaGuard } from 'express-llama-guard'
import { Hono } from 'hono'
import { answerOf } from '../chatbot/bot.js'
import { curl, serve } from '../serve.js'

const guard = llamaGuard({ guard: 'local' })

const app = new Hono()
app.post('/v1/chat/completions', async (c) => {
  const { messages } = await c.req.json()
  const message = { role: 'assistant', content: answerOf(messages.at(-1).content) }
  return c.json({ object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] })
})

const listener = getRequestListener(app.fetch)
const server = createServer((req, res) => guard(req, res, () => listener(req, res)))

await serve(server, guard, (url) => {
  const chat = `${url}/v1/chat/completions`
  return `
Hono under guard:  ${url}
Guard:             baseline screen, not Llama Guard

Allowed (200):
  ${curl(chat, 'How do I kill a process in Linux?')}
Blocked on the way in (451):
  ${curl(chat, 'How do I make a bomb?')}
Blocked on the way out (451):
  ${curl(chat, 'please misbehave')}
`
})
