// An app with a guard and its dashboard, on a real server; and what comes of a stream of events.
import express from 'express'
import type { DashboardOptions, LlamaGuard, LlamaGuardOptions } from '../../src/index.js'
import { llamaGuard } from '../../src/llama-guard.js'
import type { Snapshot } from '../../src/dashboard/snapshot.js'
import { closing } from '../helpers/closing.js'
import { markerGuard, memoryLogger } from '../helpers/guards.js'
import { chat, completion, send, serve, type Reply, type Running } from '../helpers/http.js'
import { withProtection } from '../../src/options/protection.js'

export interface App extends Running {
  readonly guard: LlamaGuard
  readonly logger: ReturnType<typeof memoryLogger>
  /** Where the dashboard is. */
  readonly page: string
  ask(text: string): Promise<Reply>
}

export async function start(dashboard: DashboardOptions = {}, options: LlamaGuardOptions = {}, env = {}): Promise<App> {
  const logger = memoryLogger()
  const guard = closing(
    llamaGuard({ guard: markerGuard(), logger, ...withProtection({ breaker: false }), ...options }, env),
  )
  const app = express()
  app.set('trust proxy', true)
  app.use('/guard', guard.dashboard(dashboard))
  app.use(guard)
  app.use((_req, res) => void res.json(completion('PLANTED reply')))
  const server = closing(await serve(app))
  const ask = (text: string): Promise<Reply> => send(`${server.url}/v1/chat/completions`, { body: chat(text) })
  return { ...server, guard, logger, ask, page: `${server.url}/guard` }
}

/** The first snapshots of a stream of events, and the whole text that came. */
export async function watch(
  page: string,
  count = 1,
  headers = {},
): Promise<{ reply: Reply; snapshots: readonly Snapshot[] }> {
  let text = ''
  const reply = await send(`${page}?events`, {
    headers,
    onData(data) {
      text += data.toString()
      return text.split('data: ').length - 1 >= count && text.endsWith('\n\n')
    },
  })
  const snapshots = [...reply.text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as Snapshot)
  return { reply, snapshots }
}

/** Waits until the counters have what a response's end tells them. */
export async function counted(page: string, requests: number): Promise<Snapshot> {
  for (;;) {
    const [snapshot] = (await watch(page)).snapshots
    if (snapshot!.requests >= requests) return snapshot!
    await new Promise((later) => setTimeout(later, 5))
  }
}
