// A small guarded app in a process of its own, with every setting from the environment: what it prints is what an
// operator's log gets. Run by test/log.test.ts through vite-node. Prints its port as the first line.
import express from 'express'
import type { AddressInfo } from 'node:net'
import { llamaGuard } from '../../src/index.js'
import { completion } from './http.js'

const app = express().use(
  llamaGuard(),
  express.json(),
  (req, res) => void res.json(completion((req.body as { reply: string }).reply)),
)
const server = app.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
process.on('SIGTERM', () => process.exit(0))
