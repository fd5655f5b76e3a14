// What an app imports to test itself: the fake guard and the emulated endpoint, used as the README says, and the package
// as it is built, for both module systems.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import express from 'express'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { llamaGuard, type LlamaGuardOptions } from '../../src/index.js'
import { fakeGuard, sageMakerEmulator } from '../../src/testing/index.js'
import { ask, serving } from '../helpers/apps.js'
import { chat, completion, sleep, type Reply } from '../helpers/http.js'
import { withProtection } from '../../src/options/protection.js'

afterEach(() => void vi.unstubAllEnvs())

/** The reply to one message, of an app that answers `reply`. */
async function told(options: LlamaGuardOptions, message: string, reply = 'Fine.'): Promise<Reply> {
  const guard = llamaGuard({ logger: false, ...options })
  const app = express().use(guard, (_req, res) => void res.json(completion(reply)))
  try {
    return await serving(app, ({ url }) => ask(`${url}/v1/chat/completions`, { body: chat(message) }))
  } finally {
    await guard.close()
  }
}

describe('fakeGuard', () => {
  it('lets everything through but UNSAFE, and keeps what it was asked', async () => {
    const guard = fakeGuard()
    expect((await told({ guard }, 'Hello')).json()).toEqual(completion('Fine.'))
    expect(guard.asked.map((conversation) => conversation.at(-1)?.text)).toEqual(['Hello', 'Fine.'])
    const blocked = await told({ guard }, 'UNSAFE')
    expect(blocked.status).toBe(451)
    expect(blocked.json()).toMatchObject({
      error: { stage: 'input', categories: [{ code: 'S1', name: 'Violent Crimes' }] },
    })
  })

  it('judges replies as well', async () => {
    expect((await told({ guard: fakeGuard({ unsafe: /secret/ }) }, 'Hi', 'the secret')).status).toBe(451)
  })

  it.each([/bad/g, /^bad/y])('finds what %s matches as often as it is asked', async (unsafe) => {
    const guard = fakeGuard({ unsafe })
    for (let turn = 0; turn < 3; turn++)
      expect(await guard.judge([{ role: 'User', text: 'bad' }], {})).toEqual({ safe: false, categories: ['S1'] })
  })

  it('takes the categories from a function, also one it has no name for', async () => {
    const guard = fakeGuard({ unsafe: (text) => (text === 'both' ? ['S9', 'X1'] : []) })
    expect((await told({ guard }, 'one')).status).toBe(200)
    const blocked = await told({ guard }, 'both')
    expect(blocked.status).toBe(451)
    expect(blocked.json().error.categories).toMatchObject([
      { code: 'S9', name: 'Indiscriminate Weapons' },
      { code: 'X1' },
    ])
  })

  it('is a guard that is down when its function throws', async () => {
    const guard = fakeGuard({
      unsafe: () => {
        throw new Error('no model today')
      },
    })
    expect((await told({ guard, ...withProtection({ maxAttempts: 1 }) }, 'Hello')).status).toBe(503)
  })

  it('takes its time, and no longer than somebody waits', async () => {
    const guard = fakeGuard({ delayMs: 40 })
    const start = performance.now()
    expect((await told({ guard }, 'Hello')).status).toBe(200)
    expect(performance.now() - start).toBeGreaterThan(75)
    const controller = new AbortController()
    const judged = fakeGuard({ delayMs: 60_000 }).judge([{ role: 'User', text: 'Hi' }], { signal: controller.signal })
    await sleep(5)
    controller.abort(new Error('gone'))
    await expect(judged).rejects.toThrow('gone')
  })

  it.each(['UNSAFE', 7, null])('refuses %j for a pattern', (unsafe) => {
    expect(() => fakeGuard({ unsafe: unsafe as unknown as RegExp })).toThrow(
      expect.objectContaining({ code: 'invalid_option' }),
    )
  })
})

describe('sageMakerEmulator', () => {
  /** One message to an app whose environment points at the emulator, as its documentation says. */
  async function emulated(given: Parameters<typeof sageMakerEmulator>[0], message: string): Promise<Reply> {
    const emulator = await sageMakerEmulator(given)
    for (const [name, value] of Object.entries(emulator.env)) vi.stubEnv(name, value)
    try {
      return await told({ cacheMax: 0, ...withProtection({ maxAttempts: 1 }) }, message)
    } finally {
      await emulator.close()
    }
  }

  it('answers the real AWS SDK, by the words of the message or by a function of the app', async () => {
    expect((await emulated({}, 'Hello')).status).toBe(200)
    expect((await emulated({}, 'UNSAFE_O3')).status).toBe(451)
    const answer = (text: string): string => (text === 'red' ? 'unsafe\nO3' : 'safe')
    expect((await emulated({ answer }, 'UNSAFE_O3')).status).toBe(200)
    expect((await emulated({ answer }, 'red')).json().error.categories).toMatchObject([{ code: 'O3' }])
  })

  it('is an endpoint that fails when the function throws', async () => {
    const answer = (): string => {
      throw new Error('out of memory')
    }
    expect((await emulated({ answer }, 'Hello')).status).toBe(503)
  })

  it('is an endpoint that writes nonsense when the function does', async () => {
    expect((await emulated({ answer: () => 'perhaps' }, 'Hello')).status).toBe(503)
  })

  it('keeps the conversations, on the port and by the name it was given, until it is closed', async () => {
    const first = await sageMakerEmulator()
    await first.close()
    const emulator = await sageMakerEmulator({ port: first.port, endpoint: 'my-guard', delayMs: 30 })
    expect(emulator).toMatchObject({ port: first.port, url: `http://127.0.0.1:${first.port}`, endpoint: 'my-guard' })
    for (const [name, value] of Object.entries(emulator.env)) vi.stubEnv(name, value)
    const start = performance.now()
    expect((await told({}, 'Hello', 'Fine.')).status).toBe(200)
    expect(performance.now() - start).toBeGreaterThan(55)
    expect(emulator.conversations().map(({ turns }) => turns.at(-1))).toEqual([
      { role: 'User', text: 'Hello' },
      { role: 'Agent', text: 'Fine.' },
    ])
    await emulator.close()
    expect((await told({ ...withProtection({ maxAttempts: 1 }) }, 'Hello again')).status).toBe(503)
  })

  it('refuses other credentials than those it hands out, as AWS does', async () => {
    const emulator = await sageMakerEmulator()
    for (const [name, value] of Object.entries(emulator.env)) vi.stubEnv(name, value)
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAOTHER')
    expect((await told({ ...withProtection({ maxAttempts: 1 }) }, 'Hello')).status).toBe(503)
    expect(emulator.conversations()).toEqual([])
    await emulator.close()
  })
})

describe('The subpath express-llama-guard/testing', () => {
  const root = new URL('../../', import.meta.url).pathname
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

  it('has a file and types for import and for require', () => {
    for (const [condition, format] of [
      ['import', 'esm'],
      ['require', 'cjs'],
    ] as const)
      expect(manifest.exports['./testing'][condition]).toEqual({
        types: `./dist/${format}/testing/index.d.ts`,
        default: `./dist/${format}/testing/index.js`,
      })
  })

  it('needs no package at all: compiled on its own, it runs where none is installed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'testing-'))
    try {
      const { build } = await import('esbuild')
      const made = await build({
        entryPoints: [join(root, 'src/testing/index.ts')],
        bundle: true,
        packages: 'external',
        platform: 'node',
        format: 'esm',
        write: false,
        metafile: true,
      })
      const outside = Object.values(made.metafile.inputs).flatMap(({ imports }) =>
        imports.filter(({ external, path }) => external === true && !path.startsWith('node:')).map(({ path }) => path),
      )
      expect(outside).toEqual([])
      writeFileSync(join(folder, 'testing.mjs'), made.outputFiles[0]!.text)
      writeFileSync(
        join(folder, 'app.mjs'),
        `import { fakeGuard, sageMakerEmulator } from './testing.mjs'
         const emulator = await sageMakerEmulator()
         await emulator.close()
         console.log(JSON.stringify(await fakeGuard().judge([{ role: 'User', text: 'UNSAFE' }], {})))`,
      )
      const { stdout } = await promisify(execFile)(process.execPath, ['app.mjs'], { cwd: folder })
      expect(JSON.parse(stdout)).toEqual({ safe: false, categories: ['S1'] })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
