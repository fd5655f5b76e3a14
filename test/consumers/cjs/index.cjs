// A CommonJS app in JavaScript.
const assert = require('node:assert')
const express = require('express')
const { LlamaGuardError, isLlamaGuardError, llamaGuard } = require('express-llama-guard')
const heavy = () =>
  Object.keys(require.cache).filter((file) =>
    /prom-client|opentelemetry|@aws-sdk|@smithy|undici|node-llama-cpp|testing|screen/.test(file),
  )
assert.deepStrictEqual(heavy(), [], 'the main entry loads what nobody asked for yet')
// A guard on SageMaker loads the AWS SDK when it is built, and the local guard never does; probe.cjs waits for both.
assert.deepStrictEqual(heavy(llamaGuard({ guard: 'local' })), [], 'building the local guard blocks on a library')
const { guardFetch } = require('express-llama-guard/fetch')
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
probe(
  app,
  guard,
  guardFetch(() => new Response('Use the kill command.'), guard),
)
