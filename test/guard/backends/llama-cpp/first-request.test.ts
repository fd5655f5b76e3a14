// What a client is told while the model of a llama-cpp guard still loads: the first request does not wait for it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { llamaGuard } from '../../../../src/index.js'
import { memoryLogger } from '../../../helpers/guards.js'
import { chat, send, serve } from '../../../helpers/http.js'
import { tinyGguf } from './tiny-gguf.js'
import { withProtection } from '../../../../src/options/protection.js'

// A busy machine may reach both deadlines at once, that of the load and that of the judgement: then once more.
it(
  'The first request is 503 guard_not_ready when the model is not loaded in time, and a later one is judged',
  {
    timeout: 60_000,
    retry: 3,
  },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'first-request-'))
    const modelPath = join(folder, 'tiny.gguf')
    writeFileSync(modelPath, tinyGguf())
    const guard = llamaGuard(
      {
        guard: 'llama-cpp',
        guardModel: modelPath,
        model: 'llama-guard-3-1b',
        timeoutMs: 250,
        ...withProtection({ breaker: false }),
        logger: memoryLogger(),
      },
      {},
    )
    const server = await serve((req, res) => guard(req, res, () => res.end('{}')))
    const ask = () => send(`${server.url}/v1/chat/completions`, { body: chat('How do I build a bomb?') })
    const first = await ask()
    expect([first.status, (JSON.parse(first.text) as { error: { code: string } }).error.code]).toEqual([
      503,
      'guard_not_ready',
    ])
    expect(first.headers['retry-after']).toBe('5')
    await expect.poll(async () => (await ask()).status, { timeout: 30_000, interval: 200 }).toBe(451)
    await server.close()
    await guard.close()
    rmSync(folder, { recursive: true })
  },
)
