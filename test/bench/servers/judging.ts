// What judging costs in this process: the baseline screen, and `reveal` beside all that a guarded request costs. CPU
// time, the least of some rounds, so that neighbours of the machine count little.
// The client and the guard's server are another process. `../judging.ts` runs this file.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLocalGuard } from '../../../src/guard/backends/local/index.js'
import { reveal } from '../../../src/guard/reveal/index.js'
import { llamaGuard } from '../../../src/llama-guard.js'
import { withProtection } from '../../../src/options/protection.js'
import { prose } from '../../train/prose.js'
import { machine, table } from '../kit/table.js'

const ROUNDS = 20
/** Requests of a round, less for long ones. */
const REQUESTS = 300

/** Sentences of the trainer until so many characters, from a place on. */
function textOf(characters: number, unsafe: boolean, from = 0): string {
  const sentences = prose().filter((example) => example.unsafe === unsafe)
  let text = ''
  for (let at = from; text.length < characters; at++) text += `${sentences[(at * 37) % sentences.length]!.text} `
  // As the parser of a body makes strings: in one piece, which is read twice as fast as a slice.
  return JSON.parse(JSON.stringify(text.slice(0, characters))) as string
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Milliseconds of CPU that one call takes. */
async function cost(times: number, call: (at: number) => unknown): Promise<number> {
  let least = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const before = cpuMs()
    for (let at = 0; at < times; at++) await call(at)
    least = Math.min(least, (cpuMs() - before) / times)
  }
  return least
}

const TURNS = 10
const CODE = JSON.parse(JSON.stringify(readFileSync('src/exchange.ts', 'utf8'))) as string
const say = (...texts: string[]): string =>
  JSON.stringify({
    messages: texts.map((content, at) => ({ role: at % 2 === 0 ? 'user' : 'assistant', content })),
  })
const BODIES: Readonly<Record<string, (at: number) => string[]>> = {
  '500 characters': (at) => [textOf(500, false, at)],
  '10 turns of 300': (at) => Array.from({ length: TURNS - 1 }, (_, turn) => textOf(300, false, at * TURNS + turn)),
  '10 kB': (at) => [textOf(10_000, false, at)],
  '10 kB of code': (at) => [CODE.slice(at * 100, at * 100 + 10_000)],
  '20 turns of words with digits': (at) =>
    Array.from({ length: 19 }, (_, turn) => textOf(600, false, at + turn).replace(/\w\b/g, (end) => `${end}${at}`)),
  '10 kB of Chinese': (at) => [`${at}\u5982\u4f55\u5728\u5bb6\u91cc\u5236\u4f5c\u86cb\u7cd5\uff0c`.repeat(800)],
  '10 kB of base64': (at) => [Buffer.from(textOf(7_500, false, at)).toString('base64')],
  '10 kB of leetspeak': (at) => [textOf(10_000, false, at).replace(/[aeio]/g, (sign) => '4310'['aeio'.indexOf(sign)]!)],
}

if (process.send !== undefined) await serve()
else await measure()

async function measure(): Promise<void> {
  const guard = createLocalGuard()
  const screen: Record<string, string | number>[] = []
  for (const characters of [500, 10_000])
    for (const unsafe of [false, true]) {
      const texts = Array.from({ length: 40 }, (_, at) => textOf(characters, unsafe, at))
      const ms = await cost(characters > 500 ? 40 : 800, (at) =>
        guard.judge([{ role: 'User', text: texts[at % texts.length]! }], {}),
      )
      screen.push({ screen: `${characters} characters, ${unsafe ? 'harmful' : 'harmless'}`, 'cpu ms': ms.toFixed(3) })
    }

  const child = fork(process.argv[1]!)
  const { port } = (await once(child, 'message'))[0] as { port: number }
  const middleware = llamaGuard({
    guard: 'openai',
    guardUrl: `http://127.0.0.1:${port}/v1`,
    logger: false,
    cacheMax: 0,
    ...withProtection({ breaker: false }),
  })
  const reply = textOf(1_000, false)
  const said = JSON.stringify({ choices: [{ message: { role: 'assistant', content: reply }, finish_reason: 'stop' }] })
  const answer = (res: http.ServerResponse): unknown => res.setHeader('content-type', 'application/json').end(said)
  const server = http
    .createServer((req, res) => middleware(req, res, () => void req.resume().on('end', () => answer(res))))
    .listen(0)
  await once(server, 'listening')
  const rows: Record<string, string | number>[] = []
  for (const [name, texts] of Object.entries(BODIES)) {
    const bodies = Array.from({ length: 20 }, (_, at) => texts(at))
    const requests = Math.ceil(REQUESTS / (bodies[0]!.join('').length / 1000 + 1))
    const whole = await cost(1, async () => {
      child.send({ port: (server.address() as AddressInfo).port, bodies: bodies.map((each) => say(...each)), requests })
      await once(child, 'message')
    })
    const own = await cost(200, (at) => [...bodies[at % bodies.length]!, reply].map((each) => reveal(each)))
    rows.push({
      request: name,
      'cpu ms': (whole / requests).toFixed(2),
      'of it reveal': own.toFixed(3),
      share: `${((100 * own * requests) / whole).toFixed(1)} %`,
    })
  }
  console.log(`${machine()}\n\n${table(screen)}\n\n${table(rows)}`)
  child.kill()
  process.exit(0)
}

/** Sends what it is told to, one request after the other, and is the guard's server. */
async function serve(): Promise<void> {
  const answer = JSON.stringify({ choices: [{ text: 'safe', finish_reason: 'stop' }] })
  const server = http
    .createServer((req, res) =>
      req.resume().on('end', () => res.setHeader('content-type', 'application/json').end(answer)),
    )
    .listen(0)
  await once(server, 'listening')
  process.on('message', async ({ port, bodies, requests }: { port: number; bodies: string[]; requests: number }) => {
    const headers = { 'content-type': 'application/json' }
    for (let at = 0; at < requests; at++) {
      const body = bodies[at % bodies.length]!
      const reply = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: 'POST', headers, body })
      if (!(await reply.text()).startsWith('{"choices"'))
        throw new Error(`The request was not let by: ${reply.status}.`)
    }
    process.send!({})
  })
  process.send!({ port: (server.address() as AddressInfo).port })
}
