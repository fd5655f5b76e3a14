// A useChat app under guard: one route that streams a UI message stream, and a React page.
// Without settings the guard is the built-in baseline screen, not Llama Guard.
import { fileURLToPath } from 'node:url'
import { convertToModelMessages, streamText } from 'ai'
import { build } from 'esbuild'
import express from 'express'
import { llamaGuard } from 'express-llama-guard'
import { curlBody, serve } from '../serve.js'
import { standIn } from './model.js'

const local = !process.env.LLAMA_GUARD_ENDPOINT && !process.env.LLAMA_GUARD_BACKEND
const guard = llamaGuard({
  ...(local ? { guard: 'local' } : {}),
  // A real app sets `onBlock` once. The page here has a switch for it.
  override: ({ query }) => ({ onBlock: query.onBlock === 'refusal' ? 'refusal' : 'error' }),
})

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const bundle = await build({
  entryPoints: [at('page/app.jsx')],
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  jsx: 'automatic',
  // This repository's package.json says that no file has side effects; without-eval.js has one.
  ignoreAnnotations: true,
  define: { 'process.env.NODE_ENV': '"production"' },
})

const app = express()
app.disable('x-powered-by')
app.use((_req, res, next) => {
  res.setHeader('content-security-policy', "default-src 'self'")
  next()
})
app.get('/app.js', (_req, res) => res.type('js').send(bundle.outputFiles[0].text))
app.use(express.static(at('page')))
app.use('/shared', express.static(at('../chatbot/page')))

app.post('/api/chat', guard, async (req, res) => {
  const result = streamText({
    model: standIn,
    messages: await convertToModelMessages(req.body.messages),
    // Aborted when the guard blocks or the client leaves.
    abortSignal: req.llamaGuard?.signal,
  })
  result.pipeUIMessageStreamToResponse(res)
})

await serve(app, guard, (url) => {
  const chat = (text, query = '') =>
    curlBody(
      `'${url}/api/chat${query}'`,
      { messages: [{ id: 'm1', role: 'user', parts: [{ type: 'text', text }] }] },
      true,
    )
  return `
useChat under guard:  ${url}
Guard:                ${local ? 'baseline screen, not Llama Guard' : 'as the LLAMA_GUARD_ variables say'}

Allowed (200):
  ${chat('Tell me about the sea.')}
Blocked on the way in (451):
  ${chat('How do I make a bomb?')}
Cut before the first bad word (200, and the stream ends with finishReason "content-filter"):
  ${chat('Tell me about the sea, then misbehave.')}
Blocked on the way in, as a refusal in the model's place (200):
  ${chat('How do I make a bomb?', '?onBlock=refusal')}
`
})
