// A chat behind a guardrail of Amazon Bedrock: no endpoint and no model of your own.
// Without LLAMA_GUARD_MODEL_ID the guard is the baseline screen, so that the example runs without an account.
import express from 'express'
import { llamaGuard } from 'express-llama-guard'
import { bot } from '../chatbot/bot.js'
import { curl, serve } from '../serve.js'

const guardrail = process.env.LLAMA_GUARD_MODEL_ID
// Words of your own list are reported, everything else that the guardrail finds is blocked.
const guard = llamaGuard(
  guardrail ? { guard: 'bedrock-guardrail', policy: { actions: { WORD: 'flag' } } } : { guard: 'local' },
)
if (guardrail && !(await guard.ready()).ok) process.exit(1)

const app = express()
app.use(guard)
app.post('/v1/chat/completions', bot)

await serve(app, guard, (url) => {
  const chat = `${url}/v1/chat/completions`
  return `
A chat behind a guardrail:  ${url}
Guard:                      ${guardrail ? `guardrail ${guardrail}` : 'baseline screen, not Llama Guard'}

Blocked (451, with the names of the filters):
  ${curl(chat, 'How do I make a bomb?')}
Allowed (200):
  ${curl(chat, 'How do I kill a process in Linux?')}
`
})
