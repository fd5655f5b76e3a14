// The audit: rows on disk or in a function of the operator's, bounded, rotated, linked, and never in a request's way.
import { createHash, createHmac } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, appendFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { run } from '../../src/cli/index.js'
import { llamaGuard } from '../../src/llama-guard.js'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import type { RequestEvent } from '../../src/types.js'
import { openAudit } from '../../src/telemetry/audit/index.js'
import { catchIo } from '../cli/helpers.js'
import { saying } from '../helpers/apps.js'
import { guardedServer } from '../helpers/closing.js'
import { markerGuard, memoryLogger } from '../helpers/guards.js'
import { chat, chunk, send } from '../helpers/http.js'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'audit-'))
  path = join(folder, 'audit.jsonl')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

const event = (requestId: string, padding = ''): RequestEvent => ({
  time: '2026-01-01T00:00:00.000Z',
  requestId,
  dialect: 'openai-chat',
  model: 'marker',
  policy: 'p',
  mode: 'enforce',
  stream: false,
  status: 200,
  ms: 1,
  added: {},
  judged: true,
  action: 'allow',
  categories: [padding],
  amount: { chars: 1, pieces: 1, choices: 1 },
  notJudged: [],
  stages: [],
})
const lines = (file = path): string[] => readFileSync(file, 'utf8').trimEnd().split('\n')
const rows = (file = path): any[] => lines(file).map((line) => JSON.parse(line))
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

async function asked(options: LlamaGuardOptions, requests: (url: string) => Promise<unknown>, env = {}): Promise<void> {
  const server = await guardedServer(
    options,
    (req, res) => {
      if (req.url?.startsWith('/stream'))
        res
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end(chunk({ content: 'one ' }) + chunk({ content: 'two' }) + 'data: [DONE]\n\n')
      else saying('the reply')(req, res)
    },
    env,
  )
  await requests(server.url)
  await server.close()
  await server.guard.close()
}

describe('A row of the audit', () => {
  it('says what was judged, what was not, and what became of it', async () => {
    await asked(
      {},
      (url) =>
        Promise.all([
          send(`${url}/v1/chat/completions`, {
            body: chat('UNSAFE'),
            headers: { 'x-request-id': 'r-1', traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01` },
          }),
        ]).then(() => send(`${url}/health`)),
      { LLAMA_GUARD_AUDIT: path },
    )
    const [blocked, passed] = rows()
    expect(blocked).toMatchObject({
      requestId: 'r-1',
      traceId: 'ab'.repeat(16),
      dialect: 'openai-chat',
      model: 'marker',
      status: 451,
      judged: true,
      stage: 'input',
      verdict: 'unsafe',
      action: 'block',
      categories: ['O3'],
      amount: { chars: 6, pieces: 1, choices: 0 },
      notJudged: [],
      stages: [{ stage: 'input', verdict: 'unsafe', action: 'block' }],
    })
    expect(Object.keys(blocked.added)).toEqual(['input'])
    expect(blocked.policy).toMatch(/^[0-9a-f]{16}$/)
    expect(Date.parse(blocked.time)).toBeGreaterThan(Date.now() - 60_000)
    expect(passed).toMatchObject({ judged: false, status: 200, notJudged: [{ what: 'no-body', count: 1 }] })
    expect(rows()).toHaveLength(2)
  })

  it('is written as a variable with JSON says', async () => {
    const variable = JSON.stringify({ path, chain: true, secret: 'pepper' })
    await asked({}, (url) => send(`${url}/v1/chat/completions`, { body: chat('hi') }), { LLAMA_GUARD_AUDIT: variable })
    expect(rows()).toMatchObject([{ seq: 1, hmac: { input: expect.any(String) } }])
  })

  it('holds an HMAC of what was judged, where there is a secret, and no word of it', async () => {
    await asked({ audit: { path, secret: 'pepper' } }, async (url) => {
      await send(`${url}/v1/chat/completions`, { body: chat('my secret question') })
      await send(`${url}/stream/chat/completions`, { body: chat('hi', { stream: true }) })
    })
    const hmac = (text: string): string => createHmac('sha256', 'pepper').update(text).digest('hex')
    expect(rows().map((row) => row.hmac)).toEqual([
      { input: hmac('my secret question'), output: [hmac('the reply')] },
      { input: hmac('hi'), output: [hmac('one two')] },
    ])
    expect(readFileSync(path, 'utf8')).not.toMatch(/secret question|the reply|one two|pepper/)
  })

  it('is another policy where categories or actions are others', async () => {
    for (const actions of [{ O3: 'flag' }, { O3: 'block' }] as const)
      await asked({ audit: path, policy: { actions } }, (url) =>
        send(`${url}/v1/chat/completions`, { body: chat('hi') }),
      )
    expect(new Set(rows().map(({ policy }) => policy)).size).toBe(2)
  })
})

describe('The audit file', () => {
  it('begins anew when it is full, and keeps as many as it is told', async () => {
    const audit = openAudit({ path, maxBytes: 2000, keep: 2 }, memoryLogger())
    for (let number = 0; number < 40; number++) {
      audit.write(event(`r-${number}`))
      // One by one: rows that wait together are written to one file.
      await vi.waitFor(() => expect(audit.stats().written).toBe(number + 1), { interval: 1 })
    }
    await audit.close()
    expect([existsSync(`${path}.1`), existsSync(`${path}.2`), existsSync(`${path}.3`)]).toEqual([true, true, false])
    for (const file of [path, `${path}.1`, `${path}.2`]) expect(readFileSync(file).length).toBeLessThanOrEqual(2000)
    const kept = [`${path}.2`, `${path}.1`, path].flatMap((file) => rows(file).map(({ requestId }) => requestId))
    expect(kept.at(-1)).toBe('r-39')
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => `r-${40 - kept.length + index}`))
  })

  it('drops what the disk cannot take, says how many, and shows the gap in a chain', async () => {
    const logger = memoryLogger()
    const audit = openAudit({ path, chain: true, maxWaitingBytes: 3000 }, logger)
    for (let number = 0; number < 50; number++) audit.write(event(`r-${number}`))
    const { dropped } = audit.stats()
    expect(dropped).toBeGreaterThan(30)
    await vi.waitFor(() => expect(audit.stats().written).toBe(50 - dropped))
    audit.write(event('after'))
    await audit.close()
    expect(logger.lines).toHaveLength(1)
    expect(logger.lines[0]).toMatchObject({ level: 'error', fields: { dropped: 1 } })
    const [last, before] = [rows().at(-1), rows().at(-2)]
    expect(last.seq - before.seq).toBe(dropped + 1)
    expect(last.prev).toBe(sha256(lines().at(-2)!))
  })

  it('links every row to the one before, over restarts, full files and rows that a crash cut short', async () => {
    for (const run of [0, 1, 2]) {
      const audit = openAudit({ path, chain: true, maxBytes: 4000 }, memoryLogger())
      for (let number = 0; number < 6; number++) audit.write(event(`r-${run}-${number}`))
      await audit.close()
      if (run === 1) appendFileSync(path, '{"time":"2026-')
    }
    const all = [`${path}.2`, `${path}.1`, path].filter((file) => existsSync(file)).flatMap((file) => lines(file))
    expect(all).toHaveLength(19)
    expect(JSON.parse(all[0]!)).toMatchObject({ seq: 1, prev: '0'.repeat(64) })
    for (const [index, line] of all.entries()) {
      if (index === 0 || line === '{"time":"2026-') continue
      expect(JSON.parse(line).prev).toBe(sha256(all[index - 1]!))
    }
    expect(all.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line).seq)).toEqual(
      Array.from({ length: 18 }, (_, index) => index + 1),
    )
  })

  it('links to a long row too, which a header of a client in its context makes', async () => {
    for (const padding of ['"'.repeat(48 * 1024), '']) {
      const audit = openAudit({ path, chain: true }, memoryLogger())
      audit.write(event('r', padding))
      await audit.close()
    }
    expect(rows().map(({ seq }) => seq as number)).toEqual([1, 2])
    expect(rows()[1].prev).toBe(sha256(lines()[0]!))
  })

  it('is a mistake at once where its option is one', () => {
    expect(() => llamaGuard({ guard: markerGuard(), audit: { path, chian: true } as never }, {})).toThrow(/chain/)
    expect(() => llamaGuard({ guard: markerGuard(), audit: 5 as never }, {})).toThrow(/audit/)
  })

  it('survives a file that turns unwritable: requests go on, rows are counted as lost', async () => {
    const logger = memoryLogger()
    const audit = openAudit(path, logger)
    rmSync(folder, { recursive: true })
    audit.write(event('lost'))
    await vi.waitFor(() => expect(audit.stats()).toEqual({ written: 0, dropped: 1 }))
    expect(logger.lines[0]).toMatchObject({ level: 'error', fields: { code: 'ENOENT' } })
    await audit.close()
  })

  it('still takes the rows of requests that end while it closes', async () => {
    const audit = openAudit(path, memoryLogger())
    audit.write(event('before'))
    const closed = audit.close()
    audit.write(event('during'))
    await closed
    audit.write(event('after'))
    await vi.waitFor(() => expect(rows().map(({ requestId }) => requestId)).toEqual(['before', 'during', 'after']))
  })

  it('has a file for each worker of a cluster', async () => {
    vi.stubEnv('NODE_UNIQUE_ID', '3')
    const audit = openAudit(path, memoryLogger())
    audit.write(event('r'))
    await audit.close()
    expect(rows(join(folder, 'audit.3.jsonl'))).toHaveLength(1)
  })
})

describe('A writer of the operator', () => {
  it('gets every row, and neither a throw nor a rejection reaches a request', async () => {
    const got: RequestEvent[] = []
    const logger = memoryLogger()
    const write = vi.fn((row: RequestEvent): void | Promise<void> => {
      got.push(row)
      if (got.length === 1) throw new TypeError('secret words')
      if (got.length === 2) return Promise.reject(new TypeError('secret words'))
    })
    const close = vi.fn()
    const { guard, url } = await guardedServer({ logger, audit: { write, close } })
    for (const text of ['a', 'b', 'c'])
      expect((await send(`${url}/v1/chat/completions`, { body: chat(text) })).status).toBe(200)
    await vi.waitFor(() => expect(guard.stats().audit).toEqual({ written: 1, dropped: 2 }))
    await guard.close()
    await guard.close()
    expect(close).toHaveBeenCalledOnce()
    expect(JSON.stringify(logger.lines)).not.toContain('secret words')
  })
})

describe('Two guards of a process that name one file', () => {
  it('write one chain, over rotations and the end of one of them, and count their own rows', async () => {
    const options = { path, chain: true, maxBytes: 4000, keep: 50 }
    const [one, other] = [openAudit(options, memoryLogger()), openAudit(options, memoryLogger())]
    for (let round = 0; round < 20; round++) {
      one.write(event(`a${round}`))
      other.write(event(`b${round}`))
      if (round % 5 === 0) await vi.waitFor(() => expect(other.stats().written).toBe(round + 1))
    }
    await one.close()
    other.write(event('last'))
    await other.close()
    expect([one.stats(), other.stats()]).toEqual([
      { written: 20, dropped: 0 },
      { written: 21, dropped: 0 },
    ])
    const files = readdirSync(folder)
    expect(files.length).toBeGreaterThan(2)
    const io = catchIo()
    expect(await run(['audit', 'verify', ...files.map((file) => join(folder, file))], io), io.out()).toBe(0)
    expect(io.out()).toContain('41 rows, 1 to 41, without a gap')
  })

  it('in two ways are told so at the start', async () => {
    const one = openAudit({ path, chain: true }, memoryLogger())
    expect(() => openAudit(path, memoryLogger())).toThrow(/another guard of this process.*Give both the same/)
    await one.close()
    await openAudit(path, memoryLogger()).close()
  })

  it('do not count one that could not start', async () => {
    const options = { guard: markerGuard(), logger: memoryLogger() }
    expect(() => llamaGuard({ ...options, audit: { path, chain: true }, paths: ['bad path'] })).toThrow(/path/)
    await llamaGuard({ ...options, audit: path }).close()
  })
})
