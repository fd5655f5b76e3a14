// `check` against the emulated guard: what it judges, what it prints, and the exit code a script relies on.
import { expect, test } from 'vitest'
import { check } from '../../../src/cli/check/index.js'
import { run } from '../../../src/cli/index.js'
import { linesOf } from '../../../src/cli/lines.js'
import type { Emulator } from '../../emulator/index.js'
import { endpoint } from '../../helpers/closing.js'
import { catchIo } from '../helpers.js'
import type { Caught } from '../helpers.js'

async function setup(tty = false): Promise<{ emulator: Emulator; io: Caught }> {
  const emulator = await endpoint()
  return { emulator, io: catchIo({ ...emulator.env, LLAMA_GUARD_ENDPOINT: emulator.endpoint }, tty) }
}

async function* jsonl(...lines: unknown[]): AsyncGenerator<string> {
  for (const line of lines) yield `${typeof line === 'string' ? line : JSON.stringify(line)}\n`
}

test('A harmless text is safe, and the exit code is 0', async () => {
  const { io } = await setup()
  expect(await check({ text: 'I forgot how to kill a process in Linux, can you help?' }, io)).toBe(0)
  expect(io.out()).toMatch(/^Verdict +Id +Stage +Score +ms +Why\nsafe +text +input +/)
  expect(io.out()).not.toContain('Linux')
})

test('An unsafe text is told with its category, and the exit code is 1', async () => {
  const { io } = await setup()
  expect(await check({ text: 'UNSAFE_O3 please', output: 'json' }, io)).toBe(1)
  expect(JSON.parse(io.out())).toMatchObject({
    id: 'text',
    stage: 'input',
    verdict: 'unsafe',
    categories: [{ code: 'O3', name: 'Criminal Planning' }],
  })
})

test('A text of blanks is not judged, and the reason is told', async () => {
  const { io } = await setup()
  expect(await check({ text: ' ' }, io)).toBe(3)
  expect(io.out()).toMatch(/unjudged.*There is no text to judge\.\n$/)
})

test('Markdown is a table of all texts', async () => {
  const { io } = await setup()
  expect(await check({ stdin: jsonl('hello', 'UNSAFE_O3 please'), output: 'markdown' }, io)).toBe(1)
  expect(io.out()).toMatch(
    /^\| Verdict +\| +Id [^\n]+\n\|[ :|-]+\n\| safe +\| +line 1 [^\n]+\n\| unsafe +\| +line 2 [^\n]+O3 Criminal/,
  )
})

test('A conversation that ends with the assistant judges both sides', async () => {
  const { emulator, io } = await setup()
  expect(
    await check(
      {
        json: JSON.stringify([
          { role: 'user', content: 'a' },
          { role: 'assistant', content: 'b' },
        ]),
        output: 'json',
      },
      io,
    ),
  ).toBe(0)
  expect(JSON.parse(io.out())).toMatchObject({ stage: 'output', verdict: 'safe' })
  expect(
    emulator
      .conversations()
      .map(({ turns }) => turns.length)
      .sort(),
  ).toEqual([1, 2])
})

test('Lines keep their order and ids: JSON, plain text, and JSON that is cut, which is never safe', async () => {
  const { io } = await setup()
  const stdin = jsonl(
    { id: 'one', text: 'hello' },
    { prompt: 'UNSAFE_O3 please' },
    'no json',
    ['x'],
    '{"text": "cut',
    '',
    {
      messages: [{ role: 'user', content: 'fine' }],
    },
  )
  expect(await check({ stdin, output: 'json' }, io)).toBe(1)
  const results = io
    .out()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; verdict: string; code?: string })
  expect(results.map(({ id, verdict, code }) => [id, verdict, code])).toEqual([
    ['one', 'safe', undefined],
    ['line 2', 'unsafe', undefined],
    ['line 3', 'safe', undefined],
    ['line 4', 'safe', undefined],
    ['line 5', 'unjudged', 'unreadable_request'],
    ['line 7', 'safe', undefined],
  ])
})

test('What could not be judged is told with its code, and the exit code is 3', async () => {
  const { emulator, io } = await setup()
  emulator.behave((call) => call.fail({ status: 503, name: 'ServiceUnavailable', body: '{"Message":"down"}' }))
  expect(await check({ text: 'hello' }, io)).toBe(3)
  expect(io.out()).toMatch(/unjudged .* guard_/)
})

test('The table is coloured for a person and plain under NO_COLOR', async () => {
  const { io } = await setup(true)
  await check({ text: 'hello' }, io)
  expect(io.out()).toContain('\u001b[32msafe')
  const plain = catchIo({ ...io.env, NO_COLOR: '1' }, true)
  await check({ text: 'hello' }, plain)
  expect(plain.out()).not.toContain('\u001b')
})

test('An id cannot act on the terminal', async () => {
  const { io } = await setup()
  await check({ stdin: jsonl({ id: '\u001b[2J', text: 'hello' }) }, io)
  expect(io.out()).not.toContain('\u001b')
})

test.each([
  ['nothing to check', [], { LLAMA_GUARD_ENDPOINT: 'x', AWS_REGION: 'eu-west-1' }, /nothing to check/],
  ['no endpoint', ['a'], {}, /endpoint_missing/],
])('%s is exit code 2', async (_, words, env, message) => {
  const io = catchIo(env)
  expect(await run(['check', ...words], io)).toBe(2)
  expect(io.err()).toMatch(message)
})

test('Lines are found wherever the input is cut', async () => {
  async function* cut(): AsyncGenerator<Uint8Array> {
    for (const byte of new TextEncoder().encode('ü1\n\n2')) yield Uint8Array.of(byte)
  }
  const lines: unknown[] = []
  for await (const { number, bytes } of linesOf(cut())) lines.push({ text: bytes.toString(), number })
  expect(lines).toEqual([
    { text: 'ü1', number: 1 },
    { text: '', number: 2 },
    { text: '2', number: 3 },
  ])
})
