// Every stream that the tests of eventsource-parser feed to it, through a server with the guard and without. A parser
// takes its chunks at once and a guard does not, so that a first run writes down the chunks of each test.
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { llamaGuard } from '../../src/llama-guard.js'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import { comparable } from '../helpers/apps.js'
import { send, serve } from '../helpers/http.js'
import { CACHE, checkout, installed, run, SAFE, type Suite } from './kit.js'

/** The chunks of a test by its title. */
type Recorded = Readonly<Record<string, readonly string[]>>

export const eventsourceParser = (mount: string, options: LlamaGuardOptions = {}): Suite => ({
  name: 'eventsource-parser 4.1.0, its streams',
  mount,
  reasons: [
    [/carriage|\bcr\b/i, 'a CR alone ends no line that we know: 503'],
    [/huge/, 'an event larger than maxReplyBytes: 503'],
    [/byte-order/, 'a byte order mark within a stream: 503'],
    [/comments|NULL|from a block without data/, 'a NUL byte is no text: 503'],
  ],
  async run(guarded) {
    const middleware = llamaGuard({ guard: SAFE, logger: false, ...options })
    const outcomes = new Map<string, boolean>()
    for (const [title, chunks] of Object.entries(await recorded())) {
      const write = (_req: IncomingMessage, res: ServerResponse): void => {
        res.setHeader('content-type', 'text/event-stream')
        for (const chunk of chunks) res.write(chunk)
        res.end()
      }
      const [twin, server] = [
        await serve(write),
        await serve((req, res) => void middleware(req, res, () => write(req, res))),
      ]
      const body = { question: 'Tell me what the stream says' }
      const [without, with_] = await Promise.all([send(twin.url, { body }), send(server.url, { body })])
      outcomes.set(title, !guarded || JSON.stringify(comparable(with_)) === JSON.stringify(comparable(without)))
      await Promise.all([twin.close(), server.close()])
    }
    await middleware.close()
    return outcomes
  },
})

async function recorded(): Promise<Recorded> {
  const folder = await checkout('rexxars/eventsource-parser', 'v4.1.0')
  await installed(folder, 'eventsource-encoder')
  const file = join(CACHE, 'eventsource-parser.json')
  await run('.', 'npx vitest run --config test/conformance/eventsource-parser.config.ts', {
    env: { CONFORMANCE_FOLDER: folder, CONFORMANCE_RECORD: file },
    anyStatus: true,
  })
  return JSON.parse(readFileSync(file, 'utf8')) as Recorded
}
