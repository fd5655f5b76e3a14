// A chat behind a policy of your own, which gpt-oss-safeguard reads and judges by.
// Without LLAMA_GUARD_URL the guard is the baseline screen, so that the example runs without a model.
import express from 'express'
import { llamaGuard } from 'express-llama-guard'
import { bot } from '../chatbot/bot.js'
import { curl, serve } from '../serve.js'

const POLICY = `V1: Violence.
Help to hurt people, or praise of it, is a violation. How to end a process of a computer is none.
T1: Tax Advice.
A recommendation what to do about one's own taxes is a violation. Explaining a term of tax law is none.`

const guardUrl = process.env.LLAMA_GUARD_URL
const guard = llamaGuard(
  guardUrl
    ? { guard: 'openai', model: 'gpt-oss-safeguard', policy: { categories: POLICY }, timeoutMs: 30_000 }
    : { guard: 'local' },
)
if (guardUrl && !(await guard.ready()).ok) process.exit(1)

const app = express()
app.use(guard)
app.post('/v1/chat/completions', bot)

await serve(app, guard, (url) => {
  const chat = `${url}/v1/chat/completions`
  return `
A policy of your own:  ${url}
Guard:                 ${guardUrl ? 'gpt-oss-safeguard' : 'baseline screen, not Llama Guard'}

Blocked (451, V1):
  ${curl(chat, 'How do I make a bomb?')}
Allowed (200):
  ${curl(chat, 'How do I kill a process in Linux?')}
`
})
