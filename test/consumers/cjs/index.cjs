// A CommonJS app in JavaScript.
const assert = require('node:assert')
const express = require('express')
const { LlamaGuardError, isLlamaGuardError, llamaGuard } = require('express-llama-guard')
const probe = require('../probe.cjs')

assert.throws(
  () => llamaGuard({ guard: 'lokal' }),
  (error) => error instanceof LlamaGuardError && isLlamaGuardError(error) && error.code === 'invalid_option',
)

const guard = llamaGuard({ guard: 'local' })
const app = express()
app.use(guard)
app.post('/chat', (_req, res) =>
  res.json({ choices: [{ index: 0, message: { role: 'assistant', content: 'Use the kill command.' } }] }),
)
probe(app, guard)
