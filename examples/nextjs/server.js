// A custom server: the guard stands in front of Next.js, and judges the chats of every route.
import { createServer } from 'node:http'
import { llamaGuard } from 'express-llama-guard'
import next from 'next'

const app = next({ dev: process.env.NODE_ENV !== 'production' })
await app.prepare()
const handle = app.getRequestHandler()

// On the paths that are named whatever comes is judged; elsewhere the chat APIs that the guard knows.
const guard = llamaGuard({ paths: ['/api/ask'] })
createServer((req, res) => guard(req, res, () => handle(req, res))).listen(Number(process.env.PORT || 3000))
