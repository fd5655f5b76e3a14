// A small guarded app in a process of its own, with every setting from the environment: what it prints is
// what an operator's log gets.
// Run by test/log.test.ts through vite-node. Prints its port as the first line.
import express from 'express'
import type { AddressInfo } from 'node:net'
import { llamaGuard } from '../../src/index.js'
import { chunk, completion } from './http.js'

const app = express()
app.use(
  '/broken-hooks',
  llamaGuard({
    onVerdict: (event) => {
      throw new Error(`onVerdict failed ${JSON.stringify(event)}`)
    },
    guards: [
      {
        rate: 1,
        shadow: {
          judge: async (conversation) => {
            throw new Error(`shadow PLANTED ${JSON.stringify(conversation)}`)
          },
        },
      },
      {
        fallback: {
          model: 'broken',
          judge: async (conversation) => {
            throw new Error(`fallback PLANTED ${JSON.stringify(conversation)}`)
          },
        },
      },
    ],
    cacheStore: {
      get: async () => {
        throw new Error('store PLANTED')
      },
      set: async () => {
        throw new Error('store PLANTED')
      },
    },
  }),
)
app.use(
  '/broken-override',
  llamaGuard({
    override: (req) => {
      throw new Error(`override failed ${req.url ?? ''}`)
    },
  }),
)
app.use('/upstream', llamaGuard({ upstream: 'http://127.0.0.1:9' }))
app.use(llamaGuard())
app.use(express.json(), (req, res) => {
  const text = String(req.body.reply)
  if (req.body.throws === true) throw new Error(`handler PLANTED ${text}`)
  if (req.body.stream !== true) return void res.json(completion(text))
  res.type('text/event-stream')
  res.write(chunk({ content: 'A fine start. ' }))
  setTimeout(() => res.end(chunk({ content: text }) + 'data: [DONE]\n\n'), 300)
})

const server = app.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
process.on('SIGTERM', () => process.exit(0))
