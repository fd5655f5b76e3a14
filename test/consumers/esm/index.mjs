// An ES module app in JavaScript. Both copies of the package know each other's errors.
import assert from 'node:assert'
import { createRequire } from 'node:module'
import express from 'express'
import { isLlamaGuardError, llamaGuard } from 'express-llama-guard'
import { guardFetch } from 'express-llama-guard/fetch'
import { instrument } from 'express-llama-guard/otel'
import { metrics } from 'express-llama-guard/prometheus'
import { sageMakerEmulator } from 'express-llama-guard/testing'
import probe from '../probe.cjs'

const copy = createRequire(import.meta.url)('express-llama-guard')
assert.throws(
  () => copy.llamaGuard({ guard: 'lokal' }),
  (error) => isLlamaGuardError(error) && error.code === 'invalid_option',
)

const emulator = await sageMakerEmulator()
assert.equal(emulator.env.LLAMA_GUARD_ENDPOINT, 'llama-guard')
await emulator.close()
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
await probe(
  app,
  guard,
  guardFetch(() => new Response('Use the kill command.'), guard),
)
