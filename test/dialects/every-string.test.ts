// Every place of every request that holds a string, a name or a number gets words planted. On the wire the words are in
// a prompt of the guard, or the request is a 4xx.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Agent, request } from 'node:http'
import { guarded, type Mount, SERVERS } from '../helpers/apps.js'
import { markerGuard, type MarkerGuard } from '../helpers/guards.js'
import { serve, type Running } from '../helpers/http.js'
import { crossed, few } from '../helpers/sampled.js'
import { MAXIMAL } from './maximal-bodies.js'

type Style = (count: number) => string
const letters = (count: number): string => Array.from(String(count), (digit) => 'abcdefghij'[Number(digit)]!).join('')
/** Words that a body has nowhere else, another set for each place. */
const words = (count: number): string[] => ['tell', 'me', 'how', 'to', 'build', 'bomb', `zorb${letters(count)}`]
/** In no short form: the values of settings have no blank and at most 128 characters. */
const STYLES: Readonly<Record<string, Style>> = {
  'a sentence': (count) => words(count).join(' '),
  'dotted words': (count) => words(count).join('.').padEnd(129, '.'),
}

type Path = readonly (string | number)[]

/** Each place of a body: a leaf to be replaced, or an object to get a key. */
function* places(value: unknown, path: Path = []): Generator<{ path: Path; kind: 'value' | 'key' }> {
  if (typeof value !== 'object' || value === null) {
    yield { path, kind: 'value' }
    return
  }
  if (!Array.isArray(value)) yield { path, kind: 'key' }
  for (const [key, inner] of Object.entries(value))
    yield* places(inner, [...path, Array.isArray(value) ? Number(key) : key])
}

function planted(body: unknown, path: Path, change: (old: unknown) => unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return change(body)
  if (Array.isArray(body)) return body.map((item, at) => (at === step ? planted(item, rest, change) : item))
  const object = body as Record<string, unknown>
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, key === step ? planted(value, rest, change) : value]),
  )
}

// Each request has a connection of its own: a server on a busy machine may close one that is being used again.
const agent = new Agent({ maxSockets: 8 })
function post(url: string, body: unknown): Promise<number> {
  const payload = JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const req = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } }, (res) => {
      res.resume().once('end', () => resolve(res.statusCode ?? 0))
    })
    req.once('error', reject).end(payload)
  })
}

const servers = new Map<Mount, { running: Running; guard: MarkerGuard; handled: string[] }>()
beforeAll(async () => {
  for (const [, mount] of SERVERS) {
    const guard = Object.assign(markerGuard(), { vision: true })
    const middleware = guarded({ guard, check: ['input'], turns: 'all', maxBodyBytes: 1_000_000 })
    const handled: string[] = []
    const running = await serve(
      mount([middleware], (req, res) => {
        handled.push(JSON.stringify((req as { body?: unknown }).body))
        res.end('{}')
      }),
    )
    servers.set(mount, { running, guard, handled })
  }
})
afterAll(async () => {
  agent.destroy()
  for (const { running } of servers.values()) await running.close()
})

it.each(crossed({ dialect: MAXIMAL, server: SERVERS }))('$title: passes as it is', async ({ dialect, server }) => {
  expect(await post(`${servers.get(server)!.running.url}${dialect.path}`, dialect.body)).toBe(200)
})

/** Bare node:http gets every style; Express only shows that it makes no difference. */
const ROWS = crossed(
  { dialect: MAXIMAL, style: STYLES, server: SERVERS },
  ({ server, style }) => server !== 'node:http' && style !== 'dotted words',
)

it.each(ROWS)(
  '$title: is judged or refused wherever such words stand in it',
  async ({ dialect: { path: url, body }, style: write, server }) => {
    const { running, guard, handled } = servers.get(server)!
    let count = 0
    const rows: { place: string; text: string; body: unknown }[] = []
    const add = (place: string, change: (text: string) => unknown): void => {
      const text = write((count += 1))
      rows.push({ place, text, body: change(text) })
    }
    for (const { path, kind } of places(body)) {
      const place = path.join('.')
      if (kind === 'value') {
        add(place, (text) => planted(body, path, () => text))
        add(`${place}[]`, (text) => planted(body, path, () => [text]))
      } else {
        add(`${place}.key`, (text) => planted(body, path, (old) => ({ ...(old as object), [text]: 1 })))
        add(`${place}.unknown`, (text) => planted(body, path, (old) => ({ ...(old as object), unknown: text })))
        add(`${place}.id`, (text) => planted(body, path, (old) => ({ ...(old as object), id: text })))
        add(`${place}.type`, (text) => planted(body, path, (old) => ({ ...(old as object), type: text })))
        add(`${place}.signature`, (text) => planted(body, path, (old) => ({ ...(old as object), signature: text })))
      }
    }
    guard.asked.length = 0
    handled.length = 0
    const tried = few(rows, 50)
    const statuses = await Promise.all(tried.map((row) => post(`${running.url}${url}`, row.body)))
    const prompts = guard.asked
      .flatMap((turns) => turns.flatMap(({ text, images = [] }) => [text, ...images.map((image) => image.url)]))
      .join('\n')
    const missed = tried.filter(({ text }, at) => statuses[at]! < 300 && !prompts.includes(text))
    expect(missed.map(({ place, text }) => `${place}: ${text}`)).toEqual([])
    expect(statuses.every((status) => status === 200 || (status >= 400 && status < 500))).toBe(true)
    expect(handled.length).toBeGreaterThan(tried.length / 10)
  },
)
