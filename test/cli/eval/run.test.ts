// A whole evaluation from files to report, with guards that fail, stop and lie.
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openCandidate } from '../../../src/cli/eval/candidate.js'
import type { Candidate } from '../../../src/cli/eval/judge-all.js'
import { type EvalOptions, runEval } from '../../../src/cli/eval/index.js'
import { LlamaGuardError } from '../../../src/types/errors.js'
import type { Verdict } from '../../../src/types.js'
import { promptGuardLabels } from '../../emulator/other-models.js'
import { endpoint } from '../../helpers/closing.js'

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
  const io = (judge: Candidate, more = {}) => ({
    judge,
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => out.push(text) },
    ...more,
  })
  const options: EvalOptions = { resume: join(folder, 'resume.jsonl'), report: join(folder, 'report.html') }
  const measure = (judge: Candidate, more: object = {}, changed: EvalOptions = {}) =>
    runEval([file], { ...options, ...changed }, io(judge, more))
  return { file, measure, options, out }
}

function guard(name = 'test-guard', wrong = 4): Candidate & { calls: string[] } {
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
    const { measure, options, out } = await setUp()
    expect(await measure(guard())).toBe(0)
    expect(out.join('')).toMatch(/20 texts \(10 unsafe\), 20 judgements to make/)
    expect(out.join('')).toMatch(/recall +\| 0\.900 \|/)
    const html = await readFile(options.report ?? '', 'utf8')
    expect(html).toContain('Precision-recall curve')
    expect(html).not.toContain('<script')
    expect(html).toContain('&#60;script&#62;')
    expect(html).not.toMatch(/(?:src|href)=|url\(/)
  })

  it('judges nothing twice: not equal texts, and not after an interrupt', async () => {
    const { measure, file } = await setUp()
    await writeFile(file, `${await readFile(file, 'utf8')}\n${(await readFile(file, 'utf8')).split('\n')[0] ?? ''}`)
    const stop = new AbortController()
    const first = guard()
    const stopping: Candidate = {
      ...first,
      judge(conversation, judgeOptions) {
        if (first.calls.length === 7) stop.abort()
        return first.judge(conversation, judgeOptions)
      },
    }
    expect(await measure(stopping, { signal: stop.signal }, { concurrency: 1 })).toBe(3)
    const second = guard()
    expect(await measure(second)).toBe(0)
    const asked = [...first.calls, ...second.calls]
    expect(new Set(asked).size).toBe(20)
    expect(asked).toHaveLength(20)
  })

  it('goes on with a resume file whose last line was cut', async () => {
    const { measure, options } = await setUp()
    await measure(guard())
    const lines = (await readFile(options.resume ?? '', 'utf8')).trimEnd()
    await writeFile(options.resume ?? '', lines.slice(0, -10))
    const again = guard()
    expect(await measure(again)).toBe(0)
    expect(again.calls).toHaveLength(1)
    const third = guard()
    await measure(third)
    expect(third.calls).toHaveLength(0)
  })

  it('tries a failing judgement again, and counts what stays unjudged as neither safe nor unsafe', async () => {
    const { measure, options, out } = await setUp(6)
    const inner = guard('flaky', -1)
    let throttled = false
    const flaky: Candidate = {
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
    expect(await measure(flaky)).toBe(3)
    expect(out.join('')).toMatch(/- 5 judged\n- 1 not judged: unparseable_verdict/)
    expect(out.join('')).toMatch(/recall +\| 1\.000 \|/)
    expect(await readFile(options.report ?? '', 'utf8')).toContain('1 not judged: unparseable_verdict')
  })

  it('sets two guards side by side, and names the texts that flip', async () => {
    const { measure, options, out } = await setUp()
    expect(await measure(guard('one'), { against: guard('two', 2) })).toBe(0)
    expect(out.join('')).toMatch(
      /Side by side\n\n\| Measure +\| +one \| +two \|\n[\s\S]*recall +\| 0\.900 \(\S+ to \S+\) \| 0\.900 \(/,
    )
    expect(out.join('')).toContain('McNemar on 20 texts: only one right 1, only two right 1, p = 1.00')
    expect(out.join('')).toMatch(/What changes on 20 texts: 2 flip, McNemar p = 1\.00/)
    expect(out.join('')).toMatch(/flagged by one and not by two: 1, 1 of them labelled unsafe\n {4}rows\.jsonl:3\n/)
    expect(out.join('')).toMatch(/flagged by two and not by one: 1, 1 of them labelled unsafe\n {4}rows\.jsonl:5\n/)
    const html = await readFile(options.report ?? '', 'utf8')
    expect(html).toMatch(/<th>Measure<\/th><th>one<\/th><th>two<\/th>/)
    expect(html).toContain('flagged by one and not by two: 1')
  })

  it('compares on texts without labels what changes, and shows no rates', async () => {
    const { measure, options, out, file } = await setUp()
    await writeFile(file, '{"text":"bad 1"}\n{"text":"good 2"}\n{"text":"bad 4 x"}\n')
    expect(await measure(guard('one'), { against: guard('two', -1) }, { labels: false })).toBe(0)
    expect(out.join('')).toMatch(/3 texts \(without labels\)/)
    expect(out.join('')).toMatch(/flagged 1 of 3 \(0\.\d+ to 0\.\d+\)/)
    expect(out.join('')).toMatch(/flagged by two and not by one: 1\n {4}rows\.jsonl:3\n/)
    expect(out.join('')).not.toMatch(/recall|McNemar on|labelled/)
    expect(await readFile(options.report ?? '', 'utf8')).not.toMatch(/>recall</)
  })

  it('gives no measure an interval without width, however perfect the guard', async () => {
    const { measure, out } = await setUp()
    await measure(guard('perfect', -1))
    for (const name of ['precision', 'recall', 'f1', 'auprc', 'auroc'])
      expect(out.join('')).toMatch(new RegExp(`${name} +\\| 1\\.000 \\| 0\\.[678]\\d+ to 1\\.000`))
    expect(out.join('')).toMatch(/falsePositiveRate +\| 0\.000 \| 0\.000 to 0\.278/)
  })

  it('shows its progress as plain lines in a pipe, and as one line that is redrawn on a terminal', async () => {
    const { measure, out } = await setUp()
    await measure(guard())
    expect(out.join('')).toMatch(/^test-guard: 20\/20 texts, \d+\.\d\/s$/m)
    for (const control of ['\r', '\u001b']) expect(out.join('')).not.toContain(control)
    const drawn: string[] = []
    const terminal = { isTTY: true, write: (text: string) => drawn.push(text) }
    await measure(guard(), { stderr: terminal }, { resume: undefined })
    expect(drawn.join('')).toContain('\r\u001b[Ktest-guard: 20/20 texts')
  })

  it('recommends nothing for a guard without scores', async () => {
    const { measure, options, out } = await setUp()
    const blunt: Candidate = { name: 'blunt', judge: async () => ({ safe: false, categories: [] }) }
    expect(await measure(blunt)).toBe(0)
    expect(out.join('')).toContain('No scores')
    expect(await readFile(options.report ?? '', 'utf8')).not.toContain('Precision-recall curve')
  })
})

describe('A panel under measurement', () => {
  it('asks each of its guards once for a text.', async () => {
    const emulator = await endpoint({ serves: { pg: { classifies: promptGuardLabels(2) } } })
    const env = { LLAMA_GUARD_ENDPOINT: 'llama-guard', LLAMA_GUARD_GUARDS: 'prompt-guard-2@pg,local' }
    const candidate = openCandidate({ options: {}, env, scores: true })
    const { signal } = new AbortController()
    expect(await candidate.judge([{ role: 'User', text: 'Hello' }], { signal })).toMatchObject({ safe: true })
    expect(emulator.requests.map(({ endpoint }) => endpoint).toSorted()).toEqual(['llama-guard', 'pg'])
    await candidate.close()
  })
})
