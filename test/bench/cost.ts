// What the worst bodies of 1 MiB cost, against 1 MiB of plain prose: CPU of the process with the middleware, the
// longest stall of its event loop, and how often the guard was asked.
// `npx vite-node test/bench/cost.ts [-- name ...]`. The client and the guard are another process.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { gzipSync } from 'node:zlib'
import { llamaGuard } from '../../src/llama-guard.js'
import type { Middleware } from '../../src/types.js'
import { machine, table } from './kit/table.js'
import { withProtection } from '../../src/options/protection.js'

const MIB = 1024 * 1024
const ROUNDS = 3

interface Case {
  readonly body: Buffer
  readonly path?: string
  readonly headers?: Record<string, string>
  /** Bytes in each chunk on the wire. Default: all at once. */
  readonly chunk?: number
}

/** As many units as fit between the two ends. */
function fill(start: string, unit: string | ((index: number) => string), end: string, bytes = MIB): Buffer {
  const parts = [start]
  let size = Buffer.byteLength(start) + Buffer.byteLength(end)
  for (let index = 0; ; index += 1) {
    const text = typeof unit === 'string' ? unit : unit(index)
    const more = Buffer.byteLength(text)
    if (size + more > bytes) {
      const text = parts.join('')
      return Buffer.from((/^[\]}]/.test(end) ? text.replace(/,$/, '') : text) + end)
    }
    parts.push(text)
    size += more
  }
}

const say = (unit: string | ((index: number) => string)): Buffer =>
  fill('{"messages":[{"role":"user","content":"', unit, '"}]}')
const beside = (field: string, unit: string | ((index: number) => string), end: string): Buffer =>
  fill(`{"messages":[{"role":"user","content":"hi"}],"x":${field}`, unit, `${end}}`)
const nestedIn = (open: string, inner: string, close: string, times: number): Buffer =>
  Buffer.from(open.repeat(times) + inner + close.repeat(times))
const random = Buffer.from(Array.from({ length: 700_000 }, (_, index) => (index * 7919 + (index >> 3)) & 255))
/** Words that hardly repeat, of characters from `first` on. */
function words(first: number, range: number, length: number): (index: number) => string {
  const letter = (at: number): string => {
    const hash = Math.imul(at ^ (at >>> 15), 0x2c1b3c6d)
    const mixed = Math.imul(hash ^ (hash >>> 12), 0x297a2d39)
    return String.fromCharCode(first + (((mixed ^ (mixed >>> 15)) >>> 0) % range))
  }
  return (index) => `${Array.from({ length }, (_, at) => letter(index * length + at)).join('')} `
}
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const upload = { 'content-type': 'multipart/form-data; boundary=x' }
/**
 * The sentences of this project's documents, about 50 kB. One sentence over and over would cost less than any real text,
 * because the tokens of short words are remembered: 34 ms a MiB to count for Llama 2, and 82 for these.
 */
const prose = ['README.md', 'REFERENCE.md', 'SECURITY.md', 'CHANGELOG.md', 'CONTRIBUTING.md']
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n')
  .replace(/```[^]*?```|^\|.*$|`[^`]*`|\]\([^)]*\)/gm, ' ')
  .replace(/[^\w.,:;'()-]+/g, ' ')

const CASES: Record<string, Case> = {
  prose: { body: say(prose) },
  'prose, elsewhere': { body: fill('{"note":"', prose, '"}'), path: '/ask' },
  '[[[[': { body: nestedIn('[', '1', ']', MIB / 2 - 1), path: '/ask' },
  '[[[[ in a chat': {
    body: Buffer.from(
      `{"messages":[{"role":"user","content":"hi"}],"x":${'['.repeat(MIB / 2 - 50)}${']'.repeat(MIB / 2 - 50)}}`,
    ),
  },
  '{"a":{"a":': { body: nestedIn('{"a":', '1', '}', MIB / 6 - 1), path: '/ask' },
  '[],[],': { body: fill('[', '[],', ']'), path: '/ask' },
  '{},{},': { body: fill('[', '{},', ']'), path: '/ask' },
  '{},{}, and a key twice': { body: fill('{"a":1,"a":[', '{},', ']}'), path: '/ask' },
  'many keys': { body: fill('{', (index) => `"k${index}":1,`, '}'), path: '/ask' },
  'many keys in a chat': { body: beside('{', (index) => `"k${index}":1,`, '}') },
  'many fields of a chat': {
    body: fill('{"messages":[{"role":"user","content":"hi"}],', (index) => `"k${index}":1,`, '}'),
  },
  'many escaped keys twice': { body: fill('{"a":1,"a":2,', (index) => `"\\u0061${index}":1,`, '}'), path: '/ask' },
  'objects like messages': { body: fill('[', '{"rolf":"","text":""},', ']'), path: '/ask' },
  'objects with roles': { body: fill('[', '{"role":""},', ']'), path: '/ask' },
  'a document': { body: fill('[', '{"type":"p","text":"hi"},', ']'), path: '/ask' },
  'tiny strings': { body: fill('[', '"a",', ']'), path: '/ask' },
  'tiny strings in a chat': { body: beside('[', '"a",', ']') },
  'texts like JSON': { body: fill('[', '"{\\"aaaaaaaaaaaaaaaaaaaaaaa}",', ']'), path: '/ask' },
  'texts of JSON': { body: fill('[', '"{\\"aaaaaaaaaaaaaaaa\\":1}",', ']'), path: '/ask' },
  'texts of many lines': { body: fill('["{\\"a\\":1}\\n', '[1]\\n', '{"]'), path: '/ask' },
  numbers: { body: fill('[', '1,', ']'), path: '/ask' },
  'numbers in a chat': { body: beside('[', '1,', ']') },
  quotes: { body: say('\\"') },
  backslashes: { body: say('\\\\') },
  escapes: { body: say('\\u0061') },
  blanks: { body: say(' ') },
  'line breaks': { body: say('\\n') },
  'combining characters': { body: say('\u0301') },
  'zero-width characters': { body: say('\u200B') },
  'tag characters': { body: say('\u{E0061}') },
  'words of no language': { body: say(words(0x61, 26, 8)) },
  'words of no language, Cyrillic': { body: say(words(0x430, 32, 6)) },
  'words of no language, Chinese': { body: say(words(0x4e00, 8000, 12)) },
  'printable ASCII': { body: say((index) => words(0x23, 57, 12)(index).trimEnd()) },
  'letters and halves of pairs': { body: say('\\ud800a') },
  'letters of mathematics': { body: say('\u{1D400}') },
  'angle brackets': { body: say('<') },
  labels: { body: say('\\nUser:') },
  'blanks as a stop string': {
    body: fill('{"messages":[{"role":"user","content":"hi"}],"stop":"', ' ', 'é"}'),
  },
  'one long word': { body: say('a') },
  base64: { body: say('QUJDREVGR0hJSktM') },
  'a data URL': {
    body: fill(
      '{"messages":[{"role":"user","content":[{"type":"text","text":"data:image/png;base64,',
      'QUJDREVGR0hJSktM',
      '"}]}]}',
    ),
  },
  '40,000 messages': {
    body: fill('{"messages":[', '{"role":"user","content":""},', '{"role":"user","content":"a"}]}'),
  },
  'messages in turn': {
    body: fill(
      '{"messages":[',
      '{"role":"user","content":"a"},{"role":"assistant","content":"b"},',
      '{"role":"user","content":"c"}]}',
    ),
  },
  'empty parts': {
    body: fill('{"messages":[{"role":"user","content":[', '"",', '{"type":"text","text":"a"}]}]}'),
  },
  'typed parts': { body: fill('{"messages":[{"role":"user","content":[', '{"type":"text","text":"a"},', '""]}]}') },
  'deep lists in content': {
    body: Buffer.from(
      `{"messages":[{"role":"user","content":${'['.repeat(MIB / 2 - 50)}${']'.repeat(MIB / 2 - 50)}}]}`,
    ),
  },
  'a form': { body: fill('', 'a&', ''), path: '/ask', headers: form },
  'a form of semicolons': { body: fill('', ';', ''), path: '/ask', headers: form },
  'a form of escapes': { body: fill('', '%61', '%'), path: '/ask', headers: form },
  'a form of brackets': { body: fill('', '[', ''), path: '/ask', headers: form },
  'an upload of dashes': { body: fill('', '\n--', ''), path: '/ask', headers: upload },
  'an upload of names': { body: fill('--x\n', 'name=', ''), path: '/ask', headers: upload },
  'an upload of breaks': { body: fill('--x', '\r\n', ''), path: '/ask', headers: upload },
  'binary data': { body: random, path: '/ask', headers: { 'content-type': 'application/octet-stream' } },
  'gzip of blanks': {
    body: gzipSync(Buffer.alloc(MIB - 1, ' ')),
    path: '/ask',
    headers: { 'content-encoding': 'gzip' },
  },
  'blanks alone, dribbled': { body: Buffer.alloc(MIB - 1, ' '), path: '/ask', chunk: 64 },
  'prose, dribbled': { body: say(prose), chunk: 64 },
  'prose in chunks of one byte': {
    body: fill('{"messages":[{"role":"user","content":"', prose, '"}]}', MIB / 8),
    chunk: 1,
  },
}

if (process.send !== undefined) await beClient()
else await measure()

async function measure(): Promise<void> {
  const child = spawn(process.execPath, ['node_modules/vite-node/vite-node.mjs', 'test/bench/cost.ts'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const tell = async (message: object): Promise<any> => {
    const answer = once(child, 'message')
    child.send(message)
    return (await answer)[0]
  }
  const { port: guardPort } = (await once(child, 'message'))[0] as { port: number }
  const wanted = process.argv.slice(2).filter((name) => name in CASES)
  const bare: Middleware = (_req, _res, next) => next()
  let asked = 0
  const instant = llamaGuard({
    guard: { judge: () => ((asked += 1), Promise.resolve({ safe: true, categories: [] })) },
    logger: false,
    cacheMax: 0,
    check: ['input'],
  })
  const prompted = llamaGuard({
    guard: 'openai',
    guardUrl: `http://127.0.0.1:${guardPort}/v1`,
    logger: false,
    cacheMax: 0,
    check: ['input'],
    ...withProtection({ breaker: false }),
    timeoutMs: 60_000,
  })
  const rows: Record<string, string | number>[] = []
  let plain = { instant: 0, prompted: 0 }
  // The first bodies pay for the compiler.
  for (const warm of [bare, instant, prompted]) await cost(warm, 'prose', tell)
  for (const name of wanted.length > 0 ? ['prose', ...wanted] : Object.keys(CASES)) {
    const unguarded = await cost(bare, name, tell)
    asked = 0
    const own = await cost(instant, name, tell)
    const calls = asked / (ROUNDS + 1)
    const whole = await cost(prompted, name, tell)
    if (name === 'prose') plain = { instant: own.cpu, prompted: whole.cpu }
    rows.push({
      body: name,
      'cpu ms': round(whole.cpu),
      'x prose': round(whole.cpu / plain.prompted),
      'stall ms': round(whole.stall),
      status: whole.status,
      'no prompts: cpu ms': round(own.cpu),
      'x prose ': round(own.cpu / plain.instant),
      'stall ms ': round(own.stall),
      'guard calls': calls,
      'status ': own.status,
      'unguarded: cpu ms': round(unguarded.cpu),
    })
    // The table comes at the end.
    console.error(name, rows.at(-1)!['x prose'])
  }
  console.log(`${machine()}. With a guard model that reads prompts, then with one that answers without any.\n`)
  console.log(table(rows))
  child.kill()
  process.exit(0)
}

async function cost(
  middleware: Middleware,
  name: string,
  tell: (message: object) => Promise<{ status: number }>,
): Promise<{ cpu: number; stall: number; status: number }> {
  const server = http
    .createServer((req, res) => middleware(req, res, () => void req.resume().on('end', () => res.end('ok'))))
    .listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const message = { name, port }
  await tell(message)
  const costs: number[] = []
  let stall = 0
  let status = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const before = process.cpuUsage()
    ;({ status } = await tell(message))
    const { user, system } = process.cpuUsage(before)
    costs.push((user + system) / 1000)
    stall = Math.max(stall, delay.max / 1e6)
    delay.disable()
  }
  server.closeAllConnections()
  server.close()
  return { cpu: Math.min(...costs), stall, status }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** Sends what it is told to, and is the guard's server. */
async function beClient(): Promise<void> {
  const answer = JSON.stringify({ choices: [{ text: 'safe', finish_reason: 'stop' }] })
  const server = http
    .createServer((req, res) =>
      req.resume().on('end', () => res.setHeader('content-type', 'application/json').end(answer)),
    )
    .listen(0)
  await once(server, 'listening')
  process.on('message', ({ name, port }: { name: string; port: number }) => {
    void ask(CASES[name]!, port).then((status) => process.send!({ status }))
  })
  process.send!({ port: (server.address() as AddressInfo).port })
}

function ask(
  { body, path = '/v1/chat/completions', headers, chunk = body.length }: Case,
  port: number,
): Promise<number> {
  return new Promise((resolve) => {
    const req = http.request(
      { port, path, method: 'POST', agent: false, headers: { 'content-type': 'application/json', ...headers } },
      (res) => res.resume().on('end', () => resolve(res.statusCode ?? 0)),
    )
    req.on('error', () => resolve(0))
    for (let at = 0; at < body.length; at += chunk) req.write(body.subarray(at, at + chunk))
    req.end()
  })
}
