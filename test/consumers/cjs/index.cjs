// A CommonJS app in JavaScript.
const assert = require('node:assert')
const express = require('express')
const { LlamaGuardError, isLlamaGuardError, llamaGuard } = require('express-llama-guard')
const loaded = Object.keys(require.cache).filter((file) => /prom-client|opentelemetry/.test(file))
assert.deepStrictEqual(loaded, [], 'the main entry loads telemetry that nobody asked for')
const { instrument } = require('express-llama-guard/otel')
const { metrics } = require('express-llama-guard/prometheus')
const { fakeGuard } = require('express-llama-guard/testing')
const probe = require('../probe.cjs')

assert.throws(
  () => llamaGuard({ guard: 'lokal' }),
  (error) => error instanceof LlamaGuardError && isLlamaGuardError(error) && error.code === 'invalid_option',
)

assert.equal(fakeGuard().model, 'fake-guard')
// keyv is not installed here.
assert.throws(
  () => llamaGuard({ guard: 'local', cacheStore: 'redis://localhost:6379' }),
  (error) => error.code === 'dependency_missing',
)

const guard = llamaGuard({ guard: 'local' })
const app = express()
app.get('/metrics', metrics())
app.use(guard)
instrument()()
app.post('/chat', (_req, res) =>
  res.json({ choices: [{ index: 0, message: { role: 'assistant', content: 'Use the kill command.' } }] }),
)
probe(app, guard)
