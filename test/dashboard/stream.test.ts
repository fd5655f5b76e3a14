// The page and its stream on the wire: where it may be mounted, what a snapshot says, how many pages there may be, and
// that nothing of what anybody said is in any of it.
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type express from 'express'
import { describe, expect, it } from 'vitest'
import { checkChannel, requestChannel, verdictChannel } from '../../src/telemetry/channels.js'
import { createPages } from '../../src/dashboard/pages.js'
import { llamaGuard } from '../../src/llama-guard.js'
import { EXPRESSES } from '../helpers/apps.js'
import { closing } from '../helpers/closing.js'
import { markerGuard } from '../helpers/guards.js'
import { send, serve } from '../helpers/http.js'
import { counted, start, watch } from './kit.js'

describe('The dashboard', () => {
  it.each(EXPRESSES)('answers at its path alone, with a slash or without, in %s.', async (_, module) => {
    const guard = closing(llamaGuard({ guard: markerGuard(), logger: false }, {}))
    const app = module()
    app.all('/routed', guard.dashboard())
    app.use('/deep', module.Router().use('/guard', guard.dashboard()))
    app.use('/guard', guard.dashboard())
    app.use(guard.dashboard())
    app.use((_req: express.Request, res: express.Response) => void res.status(299).end())
    const server = closing(await serve(app))
    const status = async (path: string): Promise<number> => (await send(server.url + path)).status
    for (const path of ['/guard', '/guard/', '/deep/guard', '/deep/guard/', '/routed', '/', '/guard?', '/guard?x=1'])
      expect(await status(path), path).toBe(200)
    for (const path of ['/guard/other', '/guardian', '/chat', '/routed2', '/guard/?events/x'])
      expect(await status(path), path).toBe(path.includes('?') ? 200 : 299)
    expect((await watch(`${server.url}/deep/guard/`)).snapshots).toHaveLength(1)
    expect((await watch(`${server.url}/guard`)).snapshots).toHaveLength(1)
  })

  it('answers on bare node:http, where the path was chosen already.', async () => {
    const guard = closing(llamaGuard({ guard: markerGuard(), logger: false }, {}))
    const dashboard = guard.dashboard()
    const server = closing(await serve((req, res) => dashboard(req, res)))
    const url = `${server.url}/any/path`
    expect((await send(url)).text).toContain('<h1>Llama Guard</h1>')
    expect((await send(url, { method: 'HEAD' })).headers['content-type']).toContain('text/html')
    expect((await send(url, { method: 'DELETE' })).headers.allow).toBe('GET')
    expect((await send(`${url}?playground`, { body: {} })).status).toBe(405)
  })

  it('is never stored, framed or guessed, loads nothing from elsewhere, and holds no script or style.', async () => {
    const { page } = await start({ playground: true })
    for (const query of ['', '?style.css', '?page.js', '?playground.js', '?icon.svg', '?events']) {
      const { headers } = (query === '?events' ? await watch(page) : { reply: await send(page + query) }).reply
      expect(headers['cache-control'], query).toMatch(/^no-store/)
      expect(headers['x-content-type-options']).toBe('nosniff')
      const policy = String(headers['content-security-policy'])
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toMatch(/unsafe|http|\*/)
    }
    const { text } = await send(page)
    expect(text).not.toMatch(/<style|<script(?! type="module" src="\?)| style=|\son\w+=|https?:\/\//)
    for (const script of ['?page.js', '?playground.js'])
      expect((await send(page + script)).text).not.toMatch(/innerHTML|https?:\/\/(?!www\.w3\.org)/)
  })

  it('counts what was judged, what was not, and what was remembered, with nothing of what was said.', async () => {
    const verdict = { tokens: { input: 900_000, output: 100_000 }, categories: ['ODD category'] }
    const unsafe = markerGuard({ verdict: { ...verdict, safe: false }, marker: /UNSAFE/ })
    const safe = markerGuard({ verdict: { tokens: verdict.tokens } })
    const guard = {
      ...safe,
      judge: (...asked: Parameters<typeof safe.judge>) =>
        (/UNSAFE/.test(asked[0].at(-1)!.text) ? unsafe : safe).judge(...asked),
    }
    const { page, ask, url, logger } = await start({}, { guard })
    await watch(page)
    for (const text of ['PLANTED hello', 'PLANTED hello', 'PLANTED UNSAFE', 'PLANTED BROKEN']) await ask(text)
    await send(`${url}/PLANTED`)
    const seen = await counted(page, 5)
    expect(seen.stages.input).toMatchObject({ safe: 2, unsafe: 1, unjudged: 1, blocked: 1 })
    expect(seen.stages.output).toMatchObject({ safe: 2, unsafe: 0 })
    expect(seen.windows[0]!.latency.input).toMatchObject({
      judged: 4,
      p50: expect.any(Number),
      p99: expect.any(Number),
    })
    expect(seen.categories).toEqual([{ id: 'other', name: '', count: 1 }])
    expect(seen.notJudged).toEqual(
      expect.arrayContaining([
        { name: 'error', count: 1 },
        { name: 'no-body', count: 1 },
      ]),
    )
    expect(seen.errors).toEqual([{ name: 'guard_error', count: 1 }])
    expect(seen.tokens).toEqual({ input: 3 * 900_000, output: 3 * 100_000 })
    for (const { bars } of seen.windows) {
      const sum = (at: number): number => bars.reduce((total, slot) => total + slot[at]!, 0)
      expect([sum(0), sum(1)]).toEqual([2, 1])
    }
    expect(seen.windows.map(({ name }) => name)).toEqual(['minute', 'hour', 'day'])
    expect(seen.cache.hit).toBeGreaterThanOrEqual(2)
    expect(seen.guards).toContainEqual({ model: 'marker', circuit: 'off', inFlight: 0, queued: 0 })
    const { reply } = await watch(page)
    expect(reply.text).toMatch(/^retry: \d+\n\ndata: \{.*\}\n\n/)
    expect(reply.headers['content-type']).toContain('text/event-stream')
    expect(reply.headers['cache-control']).toBe('no-store, no-transform')
    expect(reply.text + (await send(page)).text + JSON.stringify(logger.lines)).not.toContain('PLANTED')
    expect(reply.text).not.toContain('ODD')
  })

  it('tells every page once a second, and stops when the last one leaves.', async () => {
    const { page } = await start()
    const { snapshots } = await watch(page, 3)
    expect(snapshots).toHaveLength(3)
    expect(snapshots[2]!.now - snapshots[0]!.now).toBeGreaterThan(1_500)
    expect(snapshots[2]!.since).toBe(snapshots[0]!.since)
  })

  it('has at most 16 pages, says so to the next, and has room again when one leaves.', async () => {
    const { page } = await start()
    const leave = new AbortController()
    const open = await Promise.all(Array.from({ length: 16 }, () => fetch(`${page}?events`, { signal: leave.signal })))
    expect(open.map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => 200))
    const full = await send(`${page}?events`)
    expect([full.status, full.json().error.code, full.headers['retry-after']]).toEqual([503, 'too_many_pages', '10'])
    leave.abort()
    await expect.poll(async () => (await watch(page)).reply.status).toBe(200)
  })

  it('keeps no more than one event for a page that does not read, and tells it again when it does.', async () => {
    let told = 0
    const text = 'x'.repeat(200_000)
    const pages = createPages(() => ({ text, told: told++ }), 1)
    let written: ServerResponse | undefined
    const server = await serve((_req, res) => {
      written = res
      pages.add(res.writeHead(200))
    })
    const client = connect(server.port, '127.0.0.1', () => client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))
    client.pause()
    await expect.poll(() => written?.writableNeedDrain, { interval: 5 }).toBe(true)
    const before = told
    expect(written!.writableLength).toBeLessThan(1_000_000)
    client.resume()
    await expect.poll(() => told, { interval: 5 }).toBeGreaterThan(before + 3)
    client.destroy()
    await server.close()
  })

  it('never ends its app: an event that cannot be made is left out.', async () => {
    let asked = 0
    const pages = createPages(() => {
      if (asked++ < 3) throw new Error('no stats')
      return { fine: true }
    }, 5)
    const server = await serve((_req, res) => pages.add(res.writeHead(200)))
    const reply = await send(server.url, { onData: (data) => data.includes('fine') })
    expect(reply.text).toContain('retry: 2000\n\ndata: {"fine":true}')
    await server.close()
  })

  it('is made once: sixteen of one guard are a mistake, until they are closed.', async () => {
    const guard = closing(llamaGuard({ guard: markerGuard(), logger: false }, {}))
    const made = Array.from({ length: 16 }, () => guard.dashboard())
    expect(() => guard.dashboard()).toThrow('Call guard.dashboard() once')
    made[0]!.close()
    guard.dashboard()
  })

  it('answers HEAD with the head alone, and takes no place for it.', async () => {
    const { page } = await start()
    for (let times = 0; times < 20; times++)
      expect((await send(`${page}?events`, { method: 'HEAD' })).headers['content-type']).toContain('text/event-stream')
    expect((await watch(page)).snapshots).toHaveLength(1)
  })

  it('counts from its making to its end, which is the end of its guard, and subscribes to nothing else.', async () => {
    const { page, guard } = await start()
    const listening = (): boolean[] => [
      requestChannel.hasSubscribers,
      verdictChannel.hasSubscribers,
      checkChannel.hasSubscribers,
    ]
    await watch(page)
    expect(listening()).toEqual([true, true, true])
    const stream = await fetch(`${page}?events`)
    await guard.close()
    expect(await stream.text()).toMatch(/^retry/)
    expect(listening()).toEqual([false, false, false])
    const closed = await send(`${page}?events`)
    expect([closed.status, closed.json().error.code]).toEqual([503, 'closed'])
  })

  it('is not loaded with the package, so that its main entry stays light.', () => {
    const source = (path: string): string => readFileSync(join(import.meta.dirname, '../../src', path), 'utf8')
    const imports = [...source('dashboard/index.ts').matchAll(/^import (type )?.* from '(.*)'$/gm)]
    expect(imports.filter(([, type]) => type === undefined).map(([, , from]) => from)).toEqual([
      '../types/errors.js',
      '../utils/beside-start.js',
      './settings.js',
    ])
  })
})
