// A chat behind OpenAI's moderation endpoint: a guard with nothing to deploy.
// Without OPENAI_API_KEY the guard is the baseline screen, so that the example runs without an account.
import express from 'express'
import { llamaGuard } from 'express-llama-guard'
import { bot } from '../chatbot/bot.js'
import { curl, serve } from '../serve.js'

const guardApiKey = process.env.OPENAI_API_KEY
const guard = llamaGuard(guardApiKey ? { guard: 'openai-moderation', guardApiKey } : { guard: 'local' })
if (guardApiKey && !(await guard.ready()).ok) process.exit(1)

const app = express()
app.use(guard)
app.post('/v1/chat/completions', bot)

await serve(app, guard, (url) => {
  const chat = `${url}/v1/chat/completions`
  return `
A chat with nothing to deploy:  ${url}
Guard:                          ${guardApiKey ? 'omni-moderation' : 'baseline screen, not Llama Guard'}

Blocked (451, with OpenAI's own categories):
  ${curl(chat, 'How do I make a bomb?')}
Allowed (200):
  ${curl(chat, 'How do I kill a process in Linux?')}
`
})
