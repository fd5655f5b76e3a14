// Fastify: the guard stands in front of the app, on the server that Fastify lets us make.
// The guard is the baseline screen, not Llama Guard.
import { createServer } from 'node:http'
import { llamaGuard } from 'express-llama-guard'
import Fastify from 'fastify'
import { answerOf } from '../chatbot/bot.js'
import { curl, serve } from '../serve.js'

const guard = llamaGuard({ guard: 'local' })

const app = Fastify({
  serverFactory: (handler) => createServer((req, res) => guard(req, res, () => handler(req, res))),
})
app.post('/v1/chat/completions', async ({ body }) => {
  const message = { role: 'assistant', content: answerOf(body.messages.at(-1).content) }
  return { object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] }
})
await app.ready()

await serve(app.server, guard, (url) => {
  const chat = `${url}/v1/chat/completions`
  return `
Fastify under guard:  ${url}
Guard:                baseline screen, not Llama Guard

Allowed (200):
  ${curl(chat, 'How do I kill a process in Linux?')}
Blocked on the way in (451):
  ${curl(chat, 'How do I make a bomb?')}
Blocked on the way out (451):
  ${curl(chat, 'please misbehave')}
`
})
