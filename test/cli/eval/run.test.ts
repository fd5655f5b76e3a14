// A whole evaluation from files to report, with guards that fail, stop and lie.
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Judge } from '../../../src/cli/eval/judge-all.js'
import { type EvalOptions, runEval } from '../../../src/cli/eval/run.js'
import { LlamaGuardError } from '../../../src/errors.js'
import type { Verdict } from '../../../src/types.js'

const EVIL = '<script>alert(1)</script>'

async function setUp(count = 20) {
  const folder = await mkdtemp(join(tmpdir(), 'eval-'))
  const file = join(folder, 'rows.jsonl')
  const rows = Array.from({ length: count }, (_, index) => ({
    text: `${index % 2 === 0 ? 'bad' : 'good'} ${index} ${EVIL}`,
    unsafe: index % 2 === 0,
    categories: index % 2 === 0 ? ['O3'] : [],
  }))
  await writeFile(file, rows.map((row) => JSON.stringify(row)).join('\n'))
  const out: string[] = []
  const io = (judge: Judge, more = {}) => ({
    judge,
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => out.push(text) },
    ...more,
  })
  const options: EvalOptions = {
    files: [file],
    draws: 20,
    resumeFile: join(folder, 'resume.jsonl'),
    reportFile: join(folder, 'report.html'),
  }
  return { folder, file, io, options, out }
}

function guard(name = 'test-guard', wrong = 4): Judge & { calls: string[] } {
  const calls: string[] = []
  return {
    name,
    calls,
    judge(conversation): Promise<Verdict> {
      const text = conversation[0]?.text ?? ''
      calls.push(text)
      const flagged = text.startsWith('bad') !== text.startsWith(`bad ${wrong} `)
      return Promise.resolve({ safe: !flagged, categories: flagged ? ['O3'] : [], score: flagged ? 0.9 : 0.1 })
    },
  }
}

describe('runEval', () => {
  it('prints the numbers and writes a report with every text escaped and nothing to fetch', async () => {
    const { io, options, out } = await setUp()
    expect(await runEval(options, io(guard()))).toBe(0)
    expect(out.join('')).toMatch(/20 texts \(10 unsafe\), 20 judgements to make/)
    expect(out.join('')).toMatch(/recall\s+0\.900/)
    const html = await readFile(options.reportFile ?? '', 'utf8')
    expect(html).toContain('Precision-recall curve')
    expect(html).not.toContain('<script')
    expect(html).toContain('&#60;script&#62;')
    expect(html).not.toMatch(/(?:src|href)=|url\(/)
  })

  it('judges nothing twice: not equal texts, and not after an interrupt', async () => {
    const { io, options, file } = await setUp()
    await writeFile(file, `${await readFile(file, 'utf8')}\n${(await readFile(file, 'utf8')).split('\n')[0] ?? ''}`)
    const stop = new AbortController()
    const first = guard()
    const stopping: Judge = {
      ...first,
      judge(conversation, judgeOptions) {
        if (first.calls.length === 7) stop.abort()
        return first.judge(conversation, judgeOptions)
      },
    }
    expect(await runEval({ ...options, concurrency: 1 }, io(stopping, { signal: stop.signal }))).toBe(4)
    const second = guard()
    expect(await runEval(options, io(second))).toBe(0)
    const asked = [...first.calls, ...second.calls]
    expect(new Set(asked).size).toBe(20)
    expect(asked).toHaveLength(20)
  })

  it('keeps no text in the resume file, and judges again for another guard', async () => {
    const { io, options } = await setUp()
    await runEval(options, io(guard()))
    expect(await readFile(options.resumeFile ?? '', 'utf8')).not.toMatch(/good|bad/)
    const other = guard('another-guard')
    await runEval(options, io(other))
    expect(other.calls).toHaveLength(20)
  })

  it('goes on with a resume file whose last line was cut', async () => {
    const { io, options } = await setUp()
    await runEval(options, io(guard()))
    const lines = (await readFile(options.resumeFile ?? '', 'utf8')).trimEnd()
    await writeFile(options.resumeFile ?? '', lines.slice(0, -10))
    const again = guard()
    expect(await runEval(options, io(again))).toBe(0)
    expect(again.calls).toHaveLength(1)
    const third = guard()
    await runEval(options, io(third))
    expect(third.calls).toHaveLength(0)
  })

  it('tries a failing judgement again, and counts what stays unjudged as neither safe nor unsafe', async () => {
    const { io, options, out } = await setUp(6)
    const inner = guard('flaky', -1)
    let throttled = false
    const flaky: Judge = {
      name: 'flaky',
      judge(conversation, judgeOptions) {
        const text = conversation[0]?.text ?? ''
        if (text.startsWith('bad 2')) return Promise.reject(new LlamaGuardError('unparseable_verdict'))
        if (text.startsWith('good 1') && !throttled) {
          throttled = true
          return Promise.reject(new LlamaGuardError('guard_throttled', undefined, { retryable: true }))
        }
        return inner.judge(conversation, judgeOptions)
      },
    }
    expect(await runEval(options, io(flaky))).toBe(3)
    expect(out.join('')).toMatch(/5 judged\n {2}1 not judged: unparseable_verdict/)
    expect(out.join('')).toMatch(/recall\s+1\.000/)
    expect(await readFile(options.reportFile ?? '', 'utf8')).toContain('1 could not be judged (unparseable_verdict)')
  })

  it('compares two guards on the same rows', async () => {
    const { io, options, out } = await setUp()
    expect(await runEval(options, io(guard('one'), { against: guard('two', -1) }))).toBe(0)
    expect(out.join('')).toContain('McNemar on 20 texts: only one right 0, only two right 1, p = 1.00')
  })

  it('recommends nothing for a guard without scores', async () => {
    const { io, options, out } = await setUp()
    const blunt: Judge = { name: 'blunt', judge: async () => ({ safe: false, categories: [] }) }
    expect(await runEval(options, io(blunt))).toBe(0)
    expect(out.join('')).toContain('no scores')
    expect(await readFile(options.reportFile ?? '', 'utf8')).not.toContain('Precision-recall curve')
  })

  it('says what a run would take and judges nothing when asked to', async () => {
    const { io, options, out } = await setUp()
    const idle = guard()
    expect(
      await runEval({ ...options, dryRun: true, dollarsPerHour: 3.6, expectedMs: 8000, concurrency: 1 }, io(idle)),
    ).toBe(0)
    expect(idle.calls).toHaveLength(0)
    expect(out.join('')).toContain('about $0.16 of instance time')
  })

  it('answers 2 for files it cannot read', async () => {
    const { io, options, out } = await setUp()
    expect(await runEval({ ...options, files: ['/nowhere.jsonl'] }, io(guard()))).toBe(2)
    expect(out.join('')).toContain('invalid_option')
  })
})
