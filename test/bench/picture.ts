// Draws test/bench/stream.svg, the README's picture: one guarded stream, as it was measured.
// `vite-node test/bench/picture.ts`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { llamaGuard } from '../../src/llama-guard.js'
import type { Guard } from '../../src/types.js'
import { chat, send, serve, sleep } from '../helpers/http.js'
import { chunkOf, prose } from './kit/chat.js'

const FIRST_TOKEN_MS = 400
const TOKEN_MS = 33
const TOKENS = 110
const GUARD_MS = 250
/** The token from which on the reply is unsafe. */
const BAD_TOKEN = 72
const BAD = 'BAD!'

interface Check {
  readonly stage: 'input' | 'output'
  readonly from: number
  readonly to: number
  readonly safe: boolean
}

const wrote: number[] = []
const checks: Check[] = []
const read: number[] = []
const started = performance.now()
const now = (): number => performance.now() - started

const guard: Guard = {
  model: 'timer',
  async judge(conversation) {
    const { role, text } = conversation.at(-1)!
    const from = now()
    await sleep(GUARD_MS)
    const safe = !text.includes(BAD)
    checks.push({ stage: role === 'User' ? 'input' : 'output', from, to: now(), safe })
    return { safe, categories: [] }
  },
}

async function measure(): Promise<number> {
  const tokens = (prose(TOKENS * 4).match(/[\s\S]{4}/g) ?? []).map((token, index) =>
    index === BAD_TOKEN ? BAD : token,
  )
  const middleware = llamaGuard({ guard, logger: false, cacheMax: 0 }, {})
  const server = await serve((req, res) =>
    middleware(req, res, () => {
      void (async () => {
        res.writeHead(200, { 'content-type': 'text/event-stream' })
        await sleep(FIRST_TOKEN_MS)
        for (const token of tokens) {
          if (res.destroyed || res.writableEnded) return
          wrote.push(now())
          res.write(chunkOf(token))
          await sleep(TOKEN_MS)
        }
        res.end('data: [DONE]\n\n')
      })()
    }),
  )
  let text = ''
  await send(`${server.url}/v1/chat/completions`, {
    body: chat('Tell me a story.', { stream: true }),
    onData(data) {
      text += data.toString('utf8')
      const words = text.match(/"content":"/g)?.length ?? 0
      while (read.length < words) read.push(now())
      return undefined
    },
  })
  const end = now()
  if (text.includes(BAD)) throw new Error('an unsafe word reached the client')
  await server.close()
  await middleware.close()
  return end
}

const WIDTH = 960
const LEFT = 110
const RIGHT = 20
const ROWS = { model: 62, guard: 122, client: 182 }

function draw(end: number): string {
  const last = Math.max(end, ...checks.map(({ to }) => to)) + 100
  const x = (ms: number): string => (LEFT + (ms / last) * (WIDTH - LEFT - RIGHT)).toFixed(1)
  const tick = (at: number, y: number, colour: string): string =>
    `<path d="M${x(at)} ${y - 14}v28" stroke="${colour}" stroke-width="2"/>`
  const label = (text: string, y: number): string =>
    `<text x="${LEFT - 12}" y="${y + 5}" text-anchor="end">${text}</text>`
  const bars = checks.map(({ stage, from, to, safe }) => {
    const [fill, word] = safe ? ['#cfe8d5', stage === 'input' ? 'input' : ''] : ['#f6c9c4', 'unsafe']
    const width = (Number(x(to)) - Number(x(from))).toFixed(1)
    const middle = ((Number(x(to)) + Number(x(from))) / 2).toFixed(1)
    return (
      `<rect x="${x(from)}" y="${ROWS.guard - 16}" width="${width}" height="32" fill="${fill}" stroke="#3b5a45"/>` +
      `<text x="${middle}" y="${ROWS.guard + 5}" text-anchor="middle">${word}</text>`
    )
  })
  const seconds = Array.from({ length: Math.floor(last / 1000) + 1 }, (_, second) => second)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} 250" font-family="sans-serif" font-size="14" fill="#1d1d1f" role="img" aria-labelledby="title">
<title id="title">A guarded stream: words reach the client only after a check that read them has said safe; the unsafe end never does.</title>
<rect width="${WIDTH}" height="250" fill="#fff"/>
<text x="${LEFT}" y="28">One stream, measured: a check takes ${GUARD_MS} ms. Red words are unsafe; the client gets none of them.</text>
${label('model writes', ROWS.model)}${label('guard checks', ROWS.guard)}${label('client reads', ROWS.client)}
${wrote.map((at, index) => tick(at, ROWS.model, index < BAD_TOKEN ? '#5b6470' : '#c0271b')).join('')}
${bars.join('\n')}
${read.map((at) => tick(at, ROWS.client, '#1b7f3b')).join('')}
<path d="M${x(end)} ${ROWS.client - 18}v36" stroke="#c0271b" stroke-width="3"/>
<text x="${x(end)}" y="${ROWS.client + 34}" text-anchor="end" fill="#c0271b">finish_reason: "content_filter"</text>
${seconds.map((second) => `<text x="${x(second * 1000)}" y="240" text-anchor="middle" fill="#5b6470">${second} s</text>`).join('')}
</svg>
`
}

writeFileSync(join(import.meta.dirname, 'stream.svg'), draw(await measure()))
