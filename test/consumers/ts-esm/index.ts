// An ES module app in TypeScript, with a guard of its own. A bundler's project, ts-bundler, checks the same file.
import { createRequire } from 'node:module'
import express, { type Express } from 'express'
import {
  llamaGuard,
  type Conversation,
  type Guard,
  type LlamaGuard,
  type LlamaGuardOptions,
  type RequestState,
  type Verdict,
} from 'express-llama-guard'
import { guardFetch, type GuardedHandler } from 'express-llama-guard/fetch'
import { instrument } from 'express-llama-guard/otel'
import { metrics, type MetricsHandler } from 'express-llama-guard/prometheus'

const probe = createRequire(import.meta.url)('../../probe.cjs') as (
  app: Express,
  guard: LlamaGuard,
  handler: (request: Request) => Promise<Response>,
) => Promise<void>

const keyword: Guard = {
  model: 'keyword',
  categories: [{ id: 'X1', name: 'Bombs' }],
  judge: (conversation: Conversation): Promise<Verdict> => {
    const safe = !/bomb/i.test(conversation.at(-1)?.text ?? '')
    return Promise.resolve({ safe, categories: safe ? [] : ['X1'] })
  },
}
const options: LlamaGuardOptions = {
  guard: keyword,
  policy: { actions: { X1: 'block' }, url: 'https://example.com/policy' },
  onVerdict: ({ stage, verdict }) => void `${stage} ${verdict}`,
}
const guard: LlamaGuard = llamaGuard(options)
const app = express()
const counted: MetricsHandler = metrics()
app.get('/metrics', counted)
app.use(guard)
const stop: () => void = instrument()
stop()
app.post('/chat', (req, res) => {
  const state: RequestState | undefined = req.llamaGuard
  res.json({
    id: state?.requestId,
    choices: [{ index: 0, message: { role: 'assistant', content: 'Use the kill command.' } }],
  })
})
const handler: GuardedHandler<Request, [], Response> = guardFetch(
  (_request: Request) => new Response('Use the kill command.'),
  guard,
)
await probe(app, guard, handler)
