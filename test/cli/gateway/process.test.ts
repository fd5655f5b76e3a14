// `serve` as an operator runs it: a process of its own under real signals.
import { spawn } from 'node:child_process'
import type { ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { chunk, completion, serve as listen, type Running } from '../../helpers/http.js'
import { build, listening, start } from '../built.js'
import type { Built, Started } from '../built.js'

const SLOW = 60_000
let built: Built
let upstream: Running
let upstreamUrl: string
const running: Started[] = []

beforeAll(async () => {
  built = build()
  upstream = await listen((req, res) => {
    // The guard is here too, in OpenAI's words, and finds everything safe.
    if (req.url === '/guard/completions')
      res.setHeader('content-type', 'application/json').end('{"choices":[{"text":"safe","finish_reason":"stop"}]}')
    else void json(req).then((body) => talk(body as Asked, res))
  })
  upstreamUrl = `${upstream.url}/v1`
}, SLOW)
afterAll(async () => {
  built.remove()
  await upstream.close()
})
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill('SIGKILL')
})

interface Asked {
  readonly stream?: boolean
  readonly messages: readonly { readonly content: string }[]
}

/** Says as many words as the message asks for, one every 100 ms when streaming. */
async function talk({ stream, messages }: Asked, res: ServerResponse): Promise<void> {
  const words = Number(/(\d+) words/.exec(messages.at(-1)?.content ?? '')?.[1] ?? 1)
  if (stream !== true)
    return void res.setHeader('content-type', 'application/json').end(JSON.stringify(completion('pond '.repeat(words))))
  res.setHeader('content-type', 'text/event-stream')
  for (let word = 0; word < words && !res.destroyed; word++) {
    res.write(chunk({ content: 'pond ' }))
    await sleep(100)
  }
  res.end(`${chunk({}, { finish: 'stop' })}data: [DONE]\n\n`)
}

function run(...flags: string[]): Started {
  const started = start(built, ['serve', '--upstream-url', upstreamUrl, ...flags], {
    LLAMA_GUARD_BACKEND: 'openai',
    LLAMA_GUARD_URL: upstreamUrl.replace(/v1$/, 'guard'),
  })
  running.push(started)
  return started
}

async function serve(...flags: string[]): Promise<Started & { readonly url: string }> {
  const started = run('--port', '0', ...flags)
  return { ...started, url: await listening(started) }
}

const ask = (url: string, content: string, stream = false): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', stream, messages: [{ role: 'user', content }] }),
  })

/** How a stream ended, as its client sees it. A body that breaks off rejects. */
async function ending(reply: Response): Promise<string> {
  const text = await reply.text().catch((error: unknown) => `broke off: ${String(error)}`)
  if (/data: \{"error":\{[^\n]*"code":"(upstream_unavailable|guard_unavailable)"/.test(text)) return 'error event'
  return text.endsWith('data: [DONE]\n\n') && text.includes('"finish_reason":"stop"')
    ? 'complete'
    : `cut: ${text.slice(-200)}`
}

test(
  'SIGTERM under 200 open streams: every stream ends complete or with an error event, none cut silently, exit code 0',
  { timeout: SLOW },
  async () => {
    const { url, child, ended, err } = await serve('--drain-ms', '5000')
    // Half of them are nearly done; the others would talk for a minute.
    const replies = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        ask(url, `Say ${index % 2 === 0 ? 3 : 600} words about pond number ${index}.`, true),
      ),
    )
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200))
    const endings = Promise.all(replies.map(ending))
    child.kill('SIGTERM')
    const seen = await endings
    expect(seen.filter((one) => one !== 'complete' && one !== 'error event')).toEqual([])
    expect(seen.filter((_, index) => index % 2 === 1)).toEqual(Array.from({ length: 100 }, () => 'error event'))
    expect(seen).toContain('complete')
    expect(await ended).toBe(0)
    expect(err()).toMatch(/Stopping: [^\n]+\nStopped\.\n$/)
    // At its start it says which guard judges, in which mode, and where a safe request goes.
    expect(err()).toMatch(/^Guard: llama-guard-1 at http:\/\/127\.0\.0\.1:\d+\/guard$/m)
    expect(err()).toMatch(/^Mode: enforce, on error closed, checks input and output$/m)
    expect(err()).toMatch(/^Upstream: http:\/\/127\.0\.0\.1:\d+\/v1$/m)
  },
)

test('A second signal does not wait for anyone', { timeout: SLOW }, async () => {
  const { url, child, ended, err } = await serve('--drain-ms', '60000')
  const reply = await ask(url, 'Say 600 words about a pond.', true)
  child.kill('SIGINT')
  while (!err().includes('Stopping')) await sleep(20)
  child.kill('SIGINT')
  expect(await ended).toBe(130)
  expect(await ending(reply)).toMatch(/^cut: broke off/)
})

test('A gateway whose npx was ended stops too, and lets replies finish', { timeout: SLOW }, async () => {
  // As npm does it: a shell between npx and the command, which passes no signal on.
  const shell = spawn(
    '/bin/sh',
    ['-c', `${process.execPath} ${built.bin} serve --port 0 --upstream-url ${upstreamUrl}; exit $?`],
    {
      env: {
        PATH: process.env['PATH'],
        npm_command: 'exec',
        LLAMA_GUARD_LOG_LEVEL: 'silent',
        LLAMA_GUARD_BACKEND: 'openai',
        LLAMA_GUARD_URL: upstreamUrl.replace(/v1$/, 'guard'),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let err = ''
  shell.stderr.on('data', (data: Buffer) => (err += data.toString()))
  const closed = new Promise((done) => shell.stderr.once('end', done))
  const ended = new Promise<number | string>((done) => shell.once('exit', (code, signal) => done(code ?? signal ?? '')))
  const url = await listening({ child: shell, err: () => err, out: () => '', ended })
  const reply = await ask(url, 'Say 12 words about a pond.', true)
  shell.kill('SIGTERM')
  expect(await ending(reply)).toBe('complete')
  // Its standard error ends with the gateway, not with the shell.
  await closed
  expect(err).toMatch(/Stopping: [^\n]+\nStopped\.\n$/)
  await expect(fetch(`${url}/healthz`)).rejects.toThrow()
})

test('A taken port is exit code 2 and says so', { timeout: SLOW }, async () => {
  const started = run('--port', String(upstream.port))
  expect(await started.ended).toBe(2)
  expect(started.err()).toMatch(/The port \d+ is taken/)
})
