// Hono on Node: the guard stands in front of the app, on the same server.
// The guard is the baseline screen, not Llama Guard.
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { llamaGuard } from 'express-llama-guard'
import { curl, serve } from '../serve.js'
import { app, banner } from './app.js'

const guard = llamaGuard({ guard: 'local' })

const listener = getRequestListener(app.fetch)
const server = createServer((req, res) => guard(req, res, () => listener(req, res)))

await serve(server, guard, (url) => banner(url, curl))
