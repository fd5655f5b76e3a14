// The command line itself: help, flags, and exit codes.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../../src/cli/index.js'
import { catchIo } from './helpers.js'

interface Version {
  readonly version: string
}

test('Help names every command, its exit codes, and goes to standard output', async () => {
  const io = catchIo()
  expect(await run(['--help'], io)).toBe(0)
  for (const word of ['serve', 'check', 'eval', 'audit', 'doctor', 'deploy', 'delete', 'Exit codes:'])
    expect(io.out()).toContain(word)
  expect(io.err()).toBe('')
})

test.each(['serve', 'check', 'eval', 'audit', 'doctor', 'deploy', 'delete'])(
  'The help of %s has an example',
  async (command) => {
    const io = catchIo()
    expect(await run([command, '--help'], io)).toBe(0)
    expect(io.out()).toMatch(/Examples?:\n {2}\$ /)
  },
)

const GATEWAY = ['--guard', 'local', '--upstream-url', 'http://127.0.0.1:9/v1']

test.each([
  [['nonsense'], /unknown command/],
  [['audit', 'verify'], /missing required argument/],
  [['audit', 'join', 'x'], /required option '--texts/],
  [['audit', 'verify', '/does/not/exist'], /cannot be read \(ENOENT\)/],
  [['deploy'], /give\n {2}- a model: --model/],
  [['delete'], /required option '--endpoint/],
  [['serve', '--port', 'x'], /whole number from 0/],
  [['check', '--output', 'xml'], /Allowed choices are text, json, markdown/],
  [['check', '--file', '/does/not/exist'], /\/does\/not\/exist cannot be read \(ENOENT\)/],
  [['check', '--guard', 'llama-guard-3-8b@a', '--endpoint', 'b', 'hello'], /--guard and --endpoint both name the end/],
  [['check', '--guard', 'llama-guard-3-8b@a', '--model', 'llama-guard-1', 'hello'], /--guard and --model both name/],
  [['serve', ...GATEWAY, '--upstream-endpoint', 'x'], /--upstream-url and --upstream-endpoint/],
  [['serve', ...GATEWAY, '--host', 'no host'], /The address "no host" cannot be listened on \(\w+\).* --host/],
  [['serve', ...GATEWAY, '--port', '65536'], /whole number from 0 to 65535/],
  [['serve', '--guard', 'local', '--upstream-endpoint', 'https://x/y'], /name of a SageMaker endpoint/],
  [['deploy', '--model', 'x', '--tag', 'y'], /key=value/],
])('%o is exit code 2 with a reason', async (argv, reason) => {
  const io = catchIo()
  expect(await run(argv, io)).toBe(2)
  expect(io.err()).toMatch(reason)
})

test('The version is that of the package', async () => {
  const io = catchIo()
  expect(await run(['--version'], io)).toBe(0)
  const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8')) as Version
  expect(io.out()).toBe(`${version}\n`)
})

test('Every flag that a message names is one of its command', async () => {
  const flags = new Map<string, string>()
  for (const command of ['serve', 'check', 'eval', 'audit', 'doctor', 'deploy', 'delete']) {
    const io = catchIo()
    await run([command, '--help'], io)
    flags.set(command, io.out())
  }
  const messages: [string, string[], Record<string, string>][] = [
    ['check', ['check'], { LLAMA_GUARD_BACKEND: 'local' }],
    ['serve', ['serve'], { LLAMA_GUARD_BACKEND: 'local' }],
    ['eval', ['eval', '/none', '--cascade'], { LLAMA_GUARD_BACKEND: 'local' }],
    ['deploy', ['deploy', '--model', 'llama-guard-3-8b', '--region', 'us-east-1'], {}],
    ['deploy', ['deploy', '--model', 'llama-guard-3-8b', '--region', 'us-east-1', '--accept-eula'], {}],
  ]
  for (const [command, argv, env] of messages) {
    const io = catchIo(env)
    expect(await run(argv, io), argv.join(' ')).toBe(2)
    const named = io.err().match(/--[a-z][a-z-]+/g) ?? []
    expect(named.length, io.err()).toBeGreaterThan(0)
    for (const flag of named) expect(flags.get(command), io.err()).toContain(flag)
  }
})

test.each([
  ['llama-guard-9@guard', /Did you mean "llama-guard-/],
  ['a@b,c@d', /should be "model@endpoint"; got "a@b"/],
  ['gpt', /"model@endpoint", "model@URL" or "local"/],
])('The guard %s is refused in the words of LLAMA_GUARD_GUARDS', async (guard, reason) => {
  const io = catchIo()
  expect(await run(['check', '--guard', guard, 'hello'], io)).toBe(2)
  expect(io.err()).toMatch(reason)
})

test('Check reads its flags over the environment', async () => {
  const io = catchIo({ LLAMA_GUARD_BACKEND: 'sagemaker' })
  expect(await run(['check', '--guard', 'local', 'hello', 'there', '--output', 'json'], io)).toBe(0)
  expect(JSON.parse(io.out())).toMatchObject({ verdict: 'safe' })
})

test('Check reads JSON and plain lines from standard input', async () => {
  async function* stdin(): AsyncGenerator<string> {
    yield '"hello"\ngood morning'
  }
  const io = { ...catchIo({ LLAMA_GUARD_BACKEND: 'local' }), stdin: stdin() }
  expect(await run(['check', '--output', 'json'], io)).toBe(0)
  expect(io.out().trim().split('\n')).toHaveLength(2)
})
