// The shared cache against a real redis-server, which is killed and stopped under load. Skipped where none is
// installed.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { isLlamaGuardError } from '../../../src/types/errors.js'
import { redisStore } from '../../../src/guard/cache/store.js'
import type { Judge } from '../../../src/guard/index.js'
import { memoryLogger } from '../../helpers/guards.js'
import { freePort } from '../../helpers/http.js'
import { SAFE, UNSAFE, judgeOf, guardSaying, guardThat, outcome, says, sleep } from '../fake-guards.js'

const installed = spawnSync('redis-server', ['--version']).status === 0
if (!installed) console.warn('redis.test.ts is skipped: no redis-server here. On Debian: apt-get install redis-server')

const running = new Set<ChildProcess>()
const judges = new Set<Judge>()

async function startRedis(port: number, ...flags: string[]): Promise<ChildProcess> {
  const redis = spawn(
    'redis-server',
    ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...flags],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  running.add(redis)
  redis.once('exit', () => running.delete(redis))
  await new Promise<void>((ready, failed) => {
    redis.once('error', failed)
    redis.once('exit', () => failed(new Error('redis-server ended')))
    redis.stdout?.on('data', (text: Buffer) => text.includes('Ready to accept connections') && ready())
  })
  return redis
}

async function openJudge(port: number, guard = guardThat(() => SAFE), secret?: string) {
  const cacheStore = redisStore(`redis://127.0.0.1:${port}`, secret === undefined ? {} : { secret })
  const judge = judgeOf(guard, { cacheStore })
  judges.add(judge)
  await cacheStore.ready
  return { judge, guard }
}

afterEach(async () => {
  for (const redis of running) {
    redis.kill('SIGCONT')
    redis.kill('SIGKILL')
  }
  await Promise.all([...judges].map((judge) => judge.close()))
  judges.clear()
})

/** Waits until what one judge judges is found by another; returns the text they share. */
async function shared(port: number, writer: Judge, secret?: string): Promise<string> {
  let text = ''
  const attempt = async (): Promise<boolean> => {
    text = `shared ${Math.random()}`
    await outcome(writer, says(text))
    await sleep(20)
    return knows(port, text, secret)
  }
  await expect.poll(attempt, { interval: 50 }).toBe(true)
  return text
}

async function knows(port: number, text: string, secret?: string): Promise<boolean> {
  const { judge } = await openJudge(
    port,
    guardThat(() => UNSAFE),
    secret,
  )
  return (await outcome(judge, says(text))) === 'safe'
}

describe('The options', () => {
  it.each(['localhost:6379', 'http://127.0.0.1', '', 'redis:/'])('refuse %j without repeating it', (url) => {
    let error: unknown
    try {
      redisStore(url.replace('redis:/', 'memcached://user:secret@host'))
    } catch (thrown) {
      error = thrown
    }
    expect(isLlamaGuardError(error) && error.code).toBe('invalid_option')
    expect(String(error)).not.toContain('secret')
  })
})

describe('A judge without the optional packages', () => {
  it('says what to install, once, and judges without the store', async () => {
    vi.doMock('keyv', () => {
      throw Object.assign(new Error("Cannot find package 'keyv'"), { code: 'ERR_MODULE_NOT_FOUND' })
    })
    const warnings: object[] = []
    const warn = (fields: object): void => void warnings.push(fields)
    const cacheStore = redisStore('redis://127.0.0.1:1')
    await expect(cacheStore.ready).rejects.toMatchObject({
      code: 'dependency_missing',
      message: expect.stringContaining('npm install keyv @keyv/redis') as string,
    })
    const judge = judgeOf(guardSaying(SAFE), { cacheStore, logger: { debug: warn, info: warn, warn, error: warn } })
    for (const text of ['a', 'b', 'c']) expect(await outcome(judge, says(text))).toBe('safe')
    expect(warnings).toEqual([
      {
        err: {
          type: 'LlamaGuardError',
          code: 'dependency_missing',
          message: expect.stringContaining('npm install') as string,
        },
      },
    ])
    await judge.close()
    vi.doUnmock('keyv')
  })
})

describe.skipIf(!installed)('redis', () => {
  it('makes two replicas one: what the first judged the second finds', async () => {
    const port = await freePort()
    await startRedis(port)
    await shared(port, (await openJudge(port)).judge)
  })

  it('with a secret knows nothing that is written without it, or under another one', async () => {
    const port = await freePort()
    await startRedis(port)
    const text = await shared(port, (await openJudge(port, undefined, 'our secret')).judge, 'our secret')
    expect(await knows(port, text, 'their secret')).toBe(false)
    expect(await knows(port, text)).toBe(false)
    const unsealed = await shared(port, (await openJudge(port)).judge)
    expect(await knows(port, unsealed, 'our secret')).toBe(false)
  })

  it.each([
    ['NOAUTH', '', ['--requirepass', 'right']],
    ['WRONGPASS', ':wrong@', ['--requirepass', 'right']],
    ['OOM', '', ['--maxmemory', '1']],
  ])('that answers %s is told by that code, without its words', async (code, who, flags) => {
    const port = await freePort()
    await startRedis(port, ...flags)
    const logger = memoryLogger()
    const cacheStore = redisStore(`redis://${who}127.0.0.1:${port}`)
    const judge = judgeOf(
      guardThat(() => SAFE),
      { cacheStore, logger },
    )
    judges.add(judge)
    await cacheStore.ready
    await outcome(judge, says('hello'))
    await vi.waitFor(() => expect(logger.lines).toMatchObject([{ level: 'warn', fields: { err: { code } } }]))
    expect(JSON.stringify(logger.lines)).not.toMatch(/wrong|password|memory/)
  })

  it('that is gone is an error of every lookup at once, and no lookup waits for it', async () => {
    const port = await freePort()
    const redis = await startRedis(port)
    const store = redisStore(`redis://127.0.0.1:${port}`)
    await store.ready
    const look = (): Promise<string> =>
      Promise.race([
        store.get('key').then(
          () => 'answer',
          () => 'error',
        ),
        sleep(5000).then(() => 'none'),
      ])
    expect(await look()).toBe('answer')
    redis.kill('SIGKILL')
    await expect.poll(look).not.toBe('answer')
    for (let round = 0; round < 3; round += 1) expect(await look()).toBe('error')
    await store.close?.()
  })

  it.each([
    ['killed', 'SIGKILL'],
    ['stopped', 'SIGSTOP'],
  ] as const)(
    '%s in the middle of the load loses nothing, bounds the latency and is used again afterwards',
    { timeout: 60_000 },
    async (what, signal) => {
      const port = await freePort()
      const redis = await startRedis(port)
      const { judge, guard } = await openJudge(port)
      await shared(port, judge)
      const before = { calls: guard.calls.length, ...judge.stats().cache.store }
      const worst = await underLoad(judge, () => redis.kill(signal))
      const after = judge.stats().cache.store
      const started = performance.now()
      if (signal === 'SIGKILL') await startRedis(port)
      else redis.kill('SIGCONT')
      await shared(port, judge)
      const back = performance.now() - started
      console.log(
        `redis ${what}: 400 judgements, 0 lost, slowest ${worst.toFixed(0)} ms; store before ${JSON.stringify(before)}, after ${JSON.stringify(after)}; used again after ${back.toFixed(0)} ms`,
      )
      expect(after?.reached).toBeGreaterThan(before.reached ?? 0)
      expect(after?.skipped).toBeGreaterThan(0)
      expect(guard.calls.length).toBeGreaterThanOrEqual(before.calls + 400)
    },
  )
})

/** 400 different judgements, 8 at a time; `strike` after the first 100. Returns the slowest in milliseconds. */
async function underLoad(judge: Judge, strike: () => void): Promise<number> {
  let next = 0
  let worst = 0
  const worker = async (): Promise<void> => {
    while (next < 400) {
      const number = next++
      if (number === 100) strike()
      const started = performance.now()
      expect(await outcome(judge, says(`load ${number}`))).toBe('safe')
      worst = Math.max(worst, performance.now() - started)
      await sleep(1)
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  return worst
}
