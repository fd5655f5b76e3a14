// The policy file is watched: a good change is in force for the next request, a bad one changes nothing and is told.
import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLiveServices, type LiveServices } from '../src/services/live.js'
import { llamaGuard } from '../src/llama-guard.js'
import { liveStats } from '../src/telemetry/live-guards.js'
import type { LlamaGuardOptions } from '../src/options/index.js'
import { startEmulator } from './emulator/index.js'
import { markerGuard, memoryLogger } from './helpers/guards.js'
import { chat, completion, send, serve, sleep } from './helpers/http.js'

let folder: string
let path: string
let live: LiveServices | undefined
const write = (policy: unknown): void => {
  // As editors and deployments do it: another file in the place of the old one.
  writeFileSync(`${path}.new`, typeof policy === 'string' ? policy : JSON.stringify(policy))
  renameSync(`${path}.new`, path)
}
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'policy-'))
  path = join(folder, 'policy.json')
})
afterEach(async () => {
  await live?.close()
  live = undefined
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

const open = (options: LlamaGuardOptions = {}): LiveServices =>
  (live = createLiveServices(
    { guard: markerGuard(), logger: memoryLogger(), ...options },
    { LLAMA_GUARD_POLICY: path },
    20,
  ))

describe('A policy file', () => {
  it('is taken when it changes, and what is open goes on with the one it began with', async () => {
    write({ actions: { O3: 'block' } })
    const logger = memoryLogger()
    const services = open({ logger })
    const before = services.current
    const retired = vi.spyOn(before, 'retire')
    let finish = (): void => undefined
    const during = services.during(() => new Promise<void>((resolve) => (finish = resolve)))
    write({ actions: { O3: 'flag' } })
    await vi.waitFor(() => expect(services.current).not.toBe(before), 3000)
    expect(services.current.config.actions).toEqual({ O3: 'flag' })
    expect(services.current.policyHash).not.toBe(before.policyHash)
    expect([services.current.audit, services.current.logger]).toEqual([before.audit, before.logger])
    expect(retired).not.toHaveBeenCalled()
    finish()
    await during
    expect(retired).toHaveBeenCalledOnce()
    expect(services.stats().policy).toEqual({ loaded: 1, rejected: 0 })
    expect(logger.lines.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'the changed policy file is in force'],
    ])
  })

  it.each([
    ['no JSON', '{"actions":'],
    ['an unknown key', { acts: {} }],
    ['a category the guard does not know', { actions: { O99: 'flag' } }],
    ['a wrong threshold', { threshold: 7 }],
  ])('keeps the old one when it turns into %s, and says so', async (_what, policy) => {
    write({ actions: { O3: 'flag' } })
    const logger = memoryLogger()
    const services = open({ logger })
    const before = services.current
    write(policy)
    await vi.waitFor(() => expect(services.stats().policy).toEqual({ loaded: 0, rejected: 1 }), 3000)
    expect(services.current).toBe(before)
    expect(logger.lines).toHaveLength(1)
    expect(logger.lines[0]).toMatchObject({ level: 'error', fields: { reason: expect.any(String) as string } })
    expect(liveStats().some(({ policy: told }) => told?.rejected === 1)).toBe(true)
    write({ actions: { O3: 'block' } })
    await vi.waitFor(() => expect(services.stats().policy).toEqual({ loaded: 1, rejected: 1 }), 3000)
  })

  it('may be gone for a while, and is looked at through a link', async () => {
    const [first, second] = [join(folder, 'one.json'), join(folder, 'two.json')]
    writeFileSync(first, JSON.stringify({ actions: { O3: 'block' } }))
    writeFileSync(second, JSON.stringify({ actions: { O3: 'ignore' } }))
    symlinkSync(first, path)
    const services = open()
    unlinkSync(path)
    await vi.waitFor(() => expect(services.stats().policy).toEqual({ loaded: 0, rejected: 1 }), 3000)
    expect(services.current.config.actions).toEqual({ O3: 'block' })
    symlinkSync(second, path)
    await vi.waitFor(() => expect(services.current.config.actions).toEqual({ O3: 'ignore' }), 3000)
  })

  it('closes no object that was given in code', async () => {
    write({ actions: { O3: 'block' } })
    const close = vi.fn()
    const services = open({ guard: { ...markerGuard(), close } })
    write({ actions: { O3: 'flag' } })
    await vi.waitFor(() => expect(services.stats().policy).toMatchObject({ loaded: 1 }), 3000)
    expect(close).not.toHaveBeenCalled()
    await services.close()
    expect(close).toHaveBeenCalledOnce()
  })

  it('changes what the guard model is asked and what is blocked, on the wire', async () => {
    const emulator = await startEmulator()
    for (const [name, value] of Object.entries(emulator.env)) vi.stubEnv(name, value)
    write({ categories: [{ id: 'O1', name: 'Old name' }] })
    const guard = llamaGuard(
      { endpoint: emulator.endpoint, logger: memoryLogger(), cacheMax: 0 },
      { LLAMA_GUARD_POLICY: path },
    )
    const server = await serve((req, res) =>
      guard(req, res, () => {
        res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion('hello')))
      }),
    )
    const asked = async (): Promise<string> => {
      const from = emulator.requests.length
      expect((await send(`${server.url}/v1/chat/completions`, { body: chat('hi') })).status).toBe(200)
      return JSON.stringify(emulator.requests.slice(from))
    }
    expect(await asked()).toContain('Old name')
    await sleep(20)
    write({ categories: [{ id: 'O1', name: 'New name' }] })
    await vi.waitFor(() => expect(guard.stats().policy).toEqual({ loaded: 1, rejected: 0 }), 5000)
    const after = await asked()
    expect(after).toContain('New name')
    expect(after).not.toContain('Old name')
    await server.close()
    await guard.close()
    await emulator.close()
  })
})
