// The guarded chat bot with everything that can be watched: metrics for Prometheus, spans for OpenTelemetry, an audit
// file where AUDIT names one, and a second guard on trial.
// Without settings the guard is the baseline screen, not Llama Guard; LLAMA_GUARD_ENDPOINT asks the real model.
import express from 'express'
import { createGuard, llamaGuard } from 'express-llama-guard'
import { instrument } from 'express-llama-guard/otel'
import { metrics } from 'express-llama-guard/prometheus'
import { bot } from '../chatbot/bot.js'
import { curl, serve } from '../serve.js'

const { LLAMA_GUARD_ENDPOINT: endpoint, AUDIT: audit, SHADOW_RATE: rate = '0.2' } = process.env

// Makes spans as soon as an SDK of OpenTelemetry is there, see the README. Until then it costs one look.
instrument()

const guard = llamaGuard({
  ...(endpoint ? {} : { guard: 'local' }),
  ...(audit && { audit: { path: audit, chain: true } }),
  guards: [{ shadow: createGuard({ guard: 'local' }), rate: Number(rate) }],
})

const app = express()
app.get('/metrics', metrics())
app.use(guard)
app.post('/v1/chat/completions', bot)
app.post('/feedback', (_req, res) => res.json({ thanks: true }))

await serve(app, guard, (url) => {
  const chat = `${url}/v1/chat/completions`
  return `
Guarded chat bot:  ${url}
Guard:             ${endpoint ?? 'baseline screen, not Llama Guard'}
Metrics:           ${url}/metrics

Allowed (200):
  ${curl(chat, 'How do I kill a process in Linux?')}
Blocked on the way in (451):
  ${curl(chat, 'How do I make a bomb?')}
Blocked on the way out (451):
  ${curl(chat, 'please misbehave')}
`
})
