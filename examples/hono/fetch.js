// Hono on any server of Requests: guardFetch() stands around app.fetch.
// The guard is the baseline screen, not Llama Guard.
import { createAdaptorServer } from '@hono/node-server'
import { guardFetch } from 'express-llama-guard/fetch'
import { curl, serve } from '../serve.js'
import { app, banner } from './app.js'

// 'warn', because an app has more than chats: bodies that are none are let through, and announced.
const guarded = guardFetch(app.fetch, { guard: 'local', unknown: 'warn' })

// Bun and Deno want `export default { fetch: guarded }` instead.
const server = createAdaptorServer({ fetch: guarded })

await serve(server, guarded, (url) => banner(url, curl))
