// Random replies, cut anywhere, judged by a guard of random speed: what the wire carried must have been
// judged first, and be the handler's bytes.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { llamaGuard } from '../../../src/llama-guard.js'
import type { LlamaGuard } from '../../../src/llama-guard.js'
import { markerGuard } from '../../helpers/guards.js'
import { chat, chunk, send, serve, sleep, type Running } from '../../helpers/http.js'
import { withProtection } from '../../../src/options/protection.js'
import { rounds } from '../../helpers/sampled.js'

interface Script {
  readonly choices: number
  /** [choice, kind, words] in order of arrival. */
  readonly deltas: readonly (readonly [number, 'content' | 'reasoning_content' | 'refusal' | 'arguments', string])[]
  readonly comments: boolean
  readonly cuts: readonly number[]
  readonly pauses: readonly number[]
  readonly guardMs: readonly number[]
  readonly windowChars: number
  readonly windowMs: number
  readonly streaming: 'window' | 'full'
  readonly parallel: boolean
  readonly unsafeAt: number | undefined
}

const word = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
  fc.constantFrom('hello ', 'wörld ', '日本 ', '🙂', '\n', ' '),
)
const script: fc.Arbitrary<Script> = fc.record({
  choices: fc.integer({ min: 1, max: 3 }),
  deltas: fc.array(
    fc.tuple(
      fc.nat({ max: 2 }),
      fc.constantFrom('content', 'content', 'content', 'reasoning_content', 'refusal', 'arguments'),
      word,
    ),
    { minLength: 0, maxLength: 40 },
  ),
  comments: fc.boolean(),
  cuts: fc.array(fc.nat({ max: 20_000 }), { maxLength: 20 }),
  pauses: fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 10 }),
  guardMs: fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 5 }),
  windowChars: fc.constantFrom(1, 10, 60, 400),
  windowMs: fc.constantFrom(2, 20, 1000),
  streaming: fc.constantFrom('window', 'full'),
  parallel: fc.boolean(),
  unsafeAt: fc.option(fc.nat({ max: 39 }), { nil: undefined }),
})

function bytesOf({ choices, deltas, comments, unsafeAt }: Script): Buffer {
  const events = deltas.map(([choice, kind, text], index) => {
    const said = index === unsafeAt ? `${text} UNSAFE ` : text
    const delta =
      kind === 'arguments' ? { tool_calls: [{ index: 0, function: { arguments: said } }] } : { [kind]: said }
    return (comments && index % 3 === 0 ? `: ping ${index}\n\n` : '') + chunk(delta, { index: choice % choices })
  })
  const ends = Array.from({ length: choices }, (_, index) => chunk({}, { index, finish: 'stop' }))
  return Buffer.from([chunk({ role: 'assistant' }), ...events, ...ends, 'data: [DONE]\n\n'].join(''))
}

function piecesOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...new Set(cuts.map((position) => position % bytes.length))].sort((a, b) => a - b)
  return [...ends, bytes.length]
    .map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end))
    .filter(({ length }) => length > 0)
}

/** Text of each choice by kind, as a client would put it together. */
function heard(sse: string): Map<string, string> {
  const texts = new Map<string, string>()
  for (const line of sse.split('\n')) {
    if (!line.startsWith('data: {')) continue
    for (const { index, delta } of JSON.parse(line.slice(6)).choices ?? []) {
      const kinds = { ...delta, arguments: delta?.tool_calls?.[0]?.function?.arguments }
      for (const kind of ['content', 'reasoning_content', 'refusal', 'arguments']) {
        if (kinds[kind]) texts.set(`${index} ${kind}`, (texts.get(`${index} ${kind}`) ?? '') + kinds[kind])
      }
    }
  }
  return texts
}

describe('A judged stream', () => {
  let current: Script
  let judgedSafe: string[] = []
  let calls = 0
  let server: Running
  const guards = new Map<string, LlamaGuard>()

  const middlewareFor = ({ windowChars, windowMs, streaming, parallel }: Script): LlamaGuard => {
    const key = JSON.stringify([windowChars, windowMs, streaming, parallel])
    let made = guards.get(key)
    if (made === undefined) {
      const guard = markerGuard({
        delay: () => current.guardMs[calls++ % current.guardMs.length]!,
        onAnswer: (conversation, verdict) => void (verdict.safe && judgedSafe.push(conversation.at(-1)!.text)),
      })
      made = llamaGuard({
        guard,
        logger: false,
        cacheMax: 0,
        ...(streaming !== 'full' && { windowChars, windowMs }),
        streaming,
        parallel,
        ...withProtection({ breaker: false }),
      })
      guards.set(key, made)
    }
    return made
  }

  beforeAll(async () => {
    server = await serve((req, res) => {
      middlewareFor(current)(
        req,
        res,
        () =>
          void (async () => {
            res.writeHead(200, { 'content-type': 'text/event-stream' })
            for (const [index, piece] of piecesOf(bytesOf(current), current.cuts).entries()) {
              const pause = current.pauses[index % current.pauses.length]!
              if (pause > 0) await sleep(pause)
              res.write(piece)
            }
            res.end()
          })(),
      )
    })
  })
  afterAll(() => server.close())

  it('carries only judged text, in the very bytes of the handler, and ends readably', async () => {
    await fc.assert(
      fc.asyncProperty(script, async (next) => {
        current = next
        judgedSafe = []
        calls = 0
        const whole = bytesOf(next)
        const unsafe = next.unsafeAt !== undefined && next.unsafeAt < next.deltas.length
        const leaks: string[] = []
        let seen = ''
        const started = performance.now()
        const reply = await send(`${server.url}/v1/chat/completions`, {
          body: chat('hello', { stream: true, n: next.choices }),
          onData(data) {
            seen += data.toString('latin1')
            const complete = Buffer.from(seen.slice(0, seen.lastIndexOf('\n\n') + 2), 'latin1').toString('utf8')
            // Everything heard so far must stand in some text that was judged safe before.
            for (const [where, text] of heard(complete))
              if (!judgedSafe.some((judged) => judged.includes(text))) leaks.push(`${where}: ${text}`)
            return undefined
          },
        })
        expect(leaks).toEqual([])
        if (next.streaming === 'window') {
          // One call is the input check. A choice has one check in flight, and none within 40 ms of the last.
          const perChoice = 3 + (performance.now() - started) / Math.min(40, next.windowMs)
          const characters = next.deltas.reduce((sum, [, , text]) => sum + text.length + 18, 0)
          expect(calls - 1).toBeLessThanOrEqual(Math.ceil(next.choices * perChoice + characters / next.windowChars))
        } else expect(calls - 1).toBeLessThanOrEqual(next.choices)
        expect(reply.text).not.toContain('UNSAFE')
        expect(reply.complete).toBe(true)
        if (!unsafe) {
          expect(reply.status).toBe(200)
          expect(reply.body.equals(whole)).toBe(true)
        } else if (reply.status === 451) {
          expect(reply.json().error).toMatchObject({
            code: 'content_filter',
            stage: 'output',
            categories: [{ code: 'O3', name: 'Criminal Planning' }],
          })
        } else {
          expect(reply.status).toBe(200)
          const ending = reply.text.slice(commonPrefix(reply.body, whole)).trimStart()
          expect(reply.text.endsWith('data: [DONE]\n\n')).toBe(true)
          expect(ending).toContain('"finish_reason":"content_filter"')
        }
      }),
      { numRuns: rounds(150), interruptAfterTimeLimit: 60_000 },
    )
  }, 120_000)
})

function commonPrefix(a: Buffer, b: Buffer): number {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return a.subarray(0, at).toString('utf8').lastIndexOf('\n\n') + 2
}
