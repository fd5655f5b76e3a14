// The recipe from shadow to enforce: what it says of two policies on one endpoint holds, and its commands exist.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { run } from '../../src/cli/index.js'
import { createGuard, llamaGuard } from '../../src/index.js'
import { startEmulator } from '../emulator/index.js'
import { memoryLogger } from '../helpers/guards.js'
import { listen, until } from '../upstream/helpers.js'
import { catchIo } from './helpers.js'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of closers.splice(0).reverse()) await close()
})

test('A second policy of the same endpoint judges beside the first, and blocks nothing', async () => {
  const emulator = await startEmulator()
  closers.push(() => emulator.close())
  for (const [name, value] of Object.entries(emulator.env)) vi.stubEnv(name, value)
  const policy = (id: string) => [{ id, name: `Category ${id}`, shouldNot: ['do it'], can: ['talk about it'] }]
  const endpoint = { guard: 'sagemaker', endpoint: emulator.endpoint } as const
  const guard = llamaGuard({
    ...endpoint,
    logger: memoryLogger(),
    policy: { categories: policy('O1') },
    guards: [{ shadow: createGuard({ ...endpoint, policy: { categories: policy('O9') } }), rate: 1 }],
  })
  closers.push(() => guard.close())
  // Unsafe by the second policy alone.
  emulator.behave((call) => call.answer({ text: call.asked?.categories.includes('O9') ? ' unsafe\nO9' : ' safe' }))
  const server = await listen((req, res) =>
    guard(req, res, () => res.setHeader('content-type', 'text/plain').end('done')),
  )
  closers.push(() => server.close())
  const reply = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello there' }] }),
  })
  expect(reply.status).toBe(200)
  await until(() => emulator.conversations().some(({ categories }) => categories.includes('O9')))
  expect(new Set(emulator.conversations().flatMap(({ categories }) => categories))).toEqual(new Set(['O1', 'O9']))
  expect(new Set(emulator.requests.map(({ endpoint: name }) => name))).toEqual(new Set([emulator.endpoint]))
})

test('Every command and flag of the recipe exists', async () => {
  const recipe = readFileSync(resolve(import.meta.dirname, '../../examples/rollout/README.md'), 'utf8')
  const commands = [...recipe.matchAll(/express-llama-guard (\w+)([^`]*)`/g)]
  expect(commands.length).toBeGreaterThan(3)
  for (const [, command = '', rest = ''] of commands) {
    const io = catchIo()
    expect(await run([command, '--help'], io)).toBe(0)
    for (const flag of rest.match(/--[a-z-]+/g) ?? []) expect(io.out(), command).toContain(flag)
  }
})
