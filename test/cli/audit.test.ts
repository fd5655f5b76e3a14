// `audit verify` and `audit join` on files that the option audit has written, and on what may happen to such files.
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { run } from '../../src/cli/index.js'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import { openAudit } from '../../src/telemetry/audit/index.js'
import type { RequestEvent } from '../../src/types.js'
import { guardedServer } from '../helpers/closing.js'
import { memoryLogger } from '../helpers/guards.js'
import { chat, send } from '../helpers/http.js'
import { catchIo } from './helpers.js'
import { withProtection } from '../../src/options/protection.js'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'audit-cli-'))
  path = join(folder, 'audit.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Rows as the option writes them, in rotated files. */
async function written(rows: number, options: { chain?: boolean; maxBytes?: number } = {}): Promise<string[]> {
  const audit = openAudit({ path, chain: true, maxBytes: 1000, ...options }, memoryLogger())
  for (let number = 0; number < rows; number++) {
    audit.write({ requestId: `r-${number} \u2028`, stages: [], notJudged: [] } as unknown as RequestEvent)
    // One by one, so that the files are cut at the same rows everywhere.
    await vi.waitFor(() => expect(audit.stats().written).toBe(number + 1), { interval: 1 })
  }
  await audit.close()
  return [path, `${path}.1`, `${path}.2`, `${path}.3`].filter((file) => existsSync(file))
}
async function verified(files: readonly string[]): Promise<[code: number, out: string]> {
  const io = catchIo()
  const code = await run(['audit', 'verify', ...files], io)
  return [code, (io.out() + io.err()).replaceAll(`${folder}/`, '')]
}
const lines = (file: string): string[] => readFileSync(file, 'utf8').trimEnd().split('\n')
const rewrite = (file: string, change: (lines: string[]) => string[]): void =>
  writeFileSync(file, `${change(lines(file)).join('\n')}\n`)

describe('`audit verify`', () => {
  it('finds no gap in what was written, over full files and restarts, in any order and packed', async () => {
    await written(20)
    const files = await written(5)
    expect(files.length).toBeGreaterThan(2)
    const whole = [0, 'audit.jsonl: 25 rows, 1 to 25, without a gap.\n']
    expect(await verified(files)).toEqual(whole)
    expect(await verified(files.toReversed())).toEqual(whole)
    writeFileSync(`${path}.1.gz`, gzipSync(readFileSync(`${path}.1`)))
    expect(await verified(files.map((file) => (file.endsWith('.1') ? `${file}.gz` : file)))).toEqual(whole)
    const [code, out] = await verified([path])
    expect([code, out]).toEqual([0, expect.stringMatching(/to 25, without a gap\. Rows before are in none of/)])
  })

  it.each<[string, (rows: string[]) => string[], number, RegExp]>([
    ['changed', (rows) => rows.map((row, at) => (at === 1 ? row.replace('r-', 'x-') : row)), 3, /hash .* does not fit/],
    ['removed', (rows) => rows.toSpliced(1, 1), 2, /hash .* does not fit/],
    ['added', (rows) => rows.toSpliced(2, 0, rows[1]!), 3, /hash .* does not fit/],
    ['exchanged', (rows) => [rows[0]!, rows[2]!, rows[1]!, ...rows.slice(3)], 2, /hash .* does not fit/],
    ['unlinked', (rows) => rows.toSpliced(1, 2, '{}', '{}'), 3, /have no link/],
  ])('names file and line of the first gap where a row was %s', async (_what, change, line, problem) => {
    const files = await written(20)
    rewrite(`${path}.1`, change)
    const [code, out] = await verified(files)
    expect([code, out]).toEqual([1, expect.stringMatching(problem)])
    expect(out).toMatch(new RegExp(`^audit\\.jsonl\\.1, line ${line}: `))
  })

  it('misses a whole file that was removed from between two', async () => {
    const files = await written(20)
    expect(await verified(files.filter((file) => !file.endsWith('.1')))).toEqual([
      1,
      expect.stringMatching(/^audit\.jsonl, line 1: the hash/),
    ])
  })

  it('says how many rows were dropped', async () => {
    const audit = openAudit({ path, chain: true, maxWaitingBytes: 300 }, memoryLogger())
    for (let number = 0; number < 50; number++)
      audit.write({ requestId: `r-${number}`, padding: 'x'.repeat(50) } as unknown as RequestEvent)
    await new Promise((resolve) => setTimeout(resolve, 50))
    audit.write({ requestId: 'last' } as unknown as RequestEvent)
    await audit.close()
    expect(await verified([path])).toEqual([
      1,
      expect.stringMatching(/line \d+: \d+ rows before this one were dropped/),
    ])
  })

  it('takes a row that a crash cut short for what it is, at the end too', async () => {
    await written(3)
    appendFileSync(path, '{"time":"2026-')
    expect(await verified([path])).toEqual([0, expect.stringMatching(/3 rows.* line 4 is cut short, by a crash/)])
    await written(3)
    expect(await verified([path])).toEqual([0, 'audit.jsonl: 6 rows, 1 to 6, without a gap.\n'])
    rewrite(path, (rows) => rows.map((row, at) => (at === 3 ? '{"time":"2027-' : row)))
    expect(await verified([path])).toEqual([1, expect.stringMatching(/^audit\.jsonl, line 5: the hash/)])
  })

  it('keeps the audits of two workers apart', async () => {
    await written(3)
    writeFileSync(join(folder, 'audit.2.jsonl'), readFileSync(path))
    expect(await verified([path, join(folder, 'audit.2.jsonl')])).toEqual([
      0,
      'audit.jsonl: 3 rows, 1 to 3, without a gap.\naudit.2.jsonl: 3 rows, 1 to 3, without a gap.\n',
    ])
  })

  it('does not take rows without links, an empty file, or no audit at all for a whole one', async () => {
    await written(3, { chain: false })
    expect(await verified([path])).toEqual([1, expect.stringMatching(/chain: true|no link/)])
    writeFileSync(path, '')
    expect(await verified([path])).toEqual([1, expect.stringMatching(/there is no row with a link/)])
    writeFileSync(path, 'x'.repeat(2e7))
    expect(await verified([path])).toEqual([2, expect.stringMatching(/Line 1 is longer/)])
    expect(await verified([join(folder, 'none')])).toEqual([2, expect.stringMatching(/none cannot be read/)])
    writeFileSync(`${path}.gz`, 'no gzip')
    expect(await verified([`${path}.gz`])).toEqual([2, expect.stringMatching(/cannot be read/)])
  })
})

describe('`audit join`', () => {
  async function asked(
    audit: LlamaGuardOptions['audit'],
    texts: readonly (readonly [id: string, text: string])[],
  ): Promise<void> {
    const server = await guardedServer({ audit, ...withProtection({ breaker: false }) })
    for (const [id, text] of texts)
      await send(`${server.url}/v1/chat/completions`, { body: chat(text), headers: { 'x-request-id': id } })
    await send(`${server.url}/health`)
    await server.close()
    await server.guard.close()
  }
  async function joined(argv: readonly string[]): Promise<{ code: number; rows: any[]; err: string }> {
    const io = catchIo()
    const code = await run(['audit', 'join', path, ...argv], io)
    return { code, err: io.err(), rows: io.out().split('\n').filter(Boolean).map((line) => JSON.parse(line)) } // prettier-ignore
  }
  const file = (name: string, rows: readonly object[] | string): string => {
    const at = join(folder, name)
    writeFileSync(at, typeof rows === 'string' ? rows : rows.map((row) => JSON.stringify(row)).join('\n'))
    return at
  }

  it('gives eval what was said and what the guard said of it, by the id of the request', async () => {
    await asked(path, [['a', 'How do I make a bomb? UNSAFE'], ['b', 'hello'], ['c', 'BROKEN'], ['d', 'nobody kept this']]) // prettier-ignore
    const texts = file('texts.jsonl', [
      { requestId: 'a', text: 'How do I make a bomb?' },
      { requestId: 'b', messages: [{ role: 'user', content: 'hello' }] },
      { requestId: 'c', text: 'BROKEN' },
    ])
    const { code, rows, err } = await joined(['--texts', texts])
    expect(code).toBe(0)
    expect(rows.map(({ requestId, text, messages }) => [requestId, text ?? messages[0].content])).toEqual([
      ['a', 'How do I make a bomb?'],
      ['b', 'hello'],
    ])
    expect(err).toContain('2 rows with their text; left out: 2 whose request was not judged, 1 without a text')

    const io = catchIo()
    const replayed = await run(['eval', file('rows.jsonl', rows), '--guard', 'local'], io)
    expect([replayed, io.out() + io.err()]).toEqual([0, expect.stringMatching(/2 (?:texts|rows)|recall/i)])
  })

  it('finds a text without an id by its HMAC, where the audit has a secret', async () => {
    await asked({ path, secret: 'pepper' }, [['a', 'hello'], ['b', 'hello'], ['c', 'other']]) // prettier-ignore
    const secret = file('secret', 'pepper\n')
    const texts = file('texts.jsonl', [{ text: 'hello' }])
    expect((await joined(['--texts', texts, '--secret-file', secret])).rows.map(({ requestId }) => requestId)).toEqual([
      'a',
      'b',
    ])
    expect((await joined(['--texts', texts, '--secret-file', file('wrong', 'salt')])).code).toBe(3)
    expect(await joined(['--texts', texts])).toMatchObject({ code: 2, err: expect.stringContaining('line 1: wanted') })
  })

  it('joins nothing where an id is not one request', async () => {
    await asked(path, [['a', 'hello'], ['a', 'UNSAFE'], ['b', 'hi']]) // prettier-ignore
    const texts = file('texts.jsonl', [
      { requestId: 'a', text: 'hello' },
      { requestId: 'b', text: 'hi' },
      { requestId: 'b', text: 'another' },
    ])
    expect(await joined(['--texts', texts])).toMatchObject({ code: 3, rows: [] })
  })
})
