// Who may see the dashboard: this machine alone, or whoever has the token; never because of what a header says.
import { createServer, type IncomingMessage } from 'node:http'
import { networkInterfaces } from 'node:os'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { accessOf } from '../../src/dashboard/access.js'
import { llamaGuard } from '../../src/llama-guard.js'
import { closing } from '../helpers/closing.js'
import { markerGuard } from '../helpers/guards.js'
import { send, type Reply } from '../helpers/http.js'
import { start } from './kit.js'

const TOKEN = 'a-long-random-token-0123456789'
const requestFrom = (remoteAddress: string | undefined, host: string | undefined): IncomingMessage =>
  ({ socket: { remoteAddress }, headers: host === undefined ? {} : { host } }) as unknown as IncomingMessage

describe('Without a token', () => {
  it.each([
    ['127.0.0.1', 'localhost:3000', 'open'],
    ['127.8.9.1', '127.0.0.1', 'open'],
    ['::1', '[::1]:8080', 'open'],
    ['::ffff:127.0.0.1', 'LOCALHOST', 'open'],
    ['10.0.0.7', 'localhost:3000', 'away'],
    ['::ffff:10.0.0.7', 'localhost', 'away'],
    ['fe80::1', '[::1]', 'away'],
    ['2001:db8::127.0.0.1', 'localhost', 'away'],
    [undefined, 'localhost', 'away'],
    ['127.0.0.1', undefined, 'away'],
    ['127.0.0.1', 'localhost.evil.example', 'away'],
    ['127.0.0.1', 'evil@localhost', 'away'],
    ['127.0.0.1', '0.0.0.0:3000', 'away'],
    ['127.0.0.1', 'localhost\n', 'away'],
  ])('a connection from %s that asks for %j is %s.', (address, host, access) => {
    expect(accessOf(requestFrom(address, host), undefined)).toBe(access)
  })

  it('headers of proxies close it, and none opens it, whatever the app trusts.', async () => {
    const { page } = await start()
    const get = (headers: Record<string, string>): Promise<Reply> => send(page, { headers })
    expect((await get({})).status).toBe(200)
    for (const headers of [
      { 'x-forwarded-for': '127.0.0.1' },
      { 'x-forwarded-host': 'localhost' },
      { 'x-forwarded-proto': 'https' },
      { 'x-real-ip': '127.0.0.1' },
      { forwarded: 'for=127.0.0.1;host=localhost' },
      { via: '1.1 proxy' },
      { host: 'evil.example' },
    ] as Record<string, string>[]) {
      for (const query of ['', '?events', '?page.js', '?style.css']) {
        const reply = await send(page + query, { headers })
        expect([reply.status, reply.json().error.code], JSON.stringify(headers)).toEqual([403, 'not_this_machine'])
        expect(reply.text).not.toContain('marker')
      }
    }
  })

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === 'IPv4' && !each.internal)?.address
  it.skipIf(outside === undefined)('a connection of another address is away on the wire, too.', async () => {
    const guard = closing(llamaGuard({ guard: markerGuard(), logger: false }, {}))
    const dashboard = guard.dashboard()
    const server = createServer((req, res) => dashboard(req, res))
    await new Promise<void>((ready) => server.listen(0, '0.0.0.0', ready))
    const { port } = server.address() as AddressInfo
    const headers = { host: `localhost:${port}` }
    expect((await send(`http://${outside}:${port}/`, { headers })).status).toBe(403)
    expect((await send(`http://127.0.0.1:${port}/`, { headers })).status).toBe(200)
    server.close()
  })
})

describe('With a token', () => {
  const form = (page: string, token: string, headers = {}): Promise<Reply> =>
    send(`${page}?session`, {
      body: new URLSearchParams({ token }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    })
  const cookieOf = ({ headers }: Reply): string => String(headers['set-cookie']).split(';')[0]!

  it('the right one opens from anywhere, and any other opens nothing.', async () => {
    const { page } = await start({ token: TOKEN, playground: true })
    for (const [authorization, status] of [
      [`Bearer ${TOKEN}`, 200],
      [`bearer ${TOKEN}`, 200],
      [`Bearer ${TOKEN}x`, 401],
      [`Bearer ${TOKEN.slice(0, -1)}`, 401],
      [`Bearer  `, 401],
      [`Basic ${Buffer.from(`:${TOKEN}`).toString('base64')}`, 401],
      [TOKEN, 401],
    ] as const) {
      const headers = { authorization, host: 'guard.example', 'x-forwarded-for': '203.0.113.9' }
      expect((await send(page, { headers })).status, authorization).toBe(status)
    }
    for (const [method, query] of [
      ['GET', ''],
      ['GET', '?events'],
      ['GET', '?page.js'],
      ['GET', `?token=${TOKEN}`],
      ['GET', '?other'],
      ['POST', '?playground'],
      ['HEAD', '?events'],
      ['PUT', ''],
    ] as const) {
      const reply = await send(page + query, { method, headers: { cookie: `llama_guard_dashboard=${TOKEN}` } })
      expect(reply.status, query).toBe(401)
      expect(reply.headers['www-authenticate']).toMatch(/^Bearer/)
      expect(reply.text).not.toContain('marker')
    }
    expect((await send(`${page}?style.css`)).status).toBe(200)
  })

  it('a form changes it for a cookie that no script reads and no other site sends, and that is not the token.', async () => {
    const { page, logger } = await start({ token: TOKEN })
    expect((await form(page, 'wrong')).status).toBe(401)
    expect((await form(page, 'wrong')).text).toContain('role="alert"')
    const signedIn = await form(page, TOKEN)
    expect([signedIn.status, signedIn.headers.location]).toEqual([303, '?'])
    expect(String(signedIn.headers['set-cookie'])).toMatch(/; HttpOnly; SameSite=Strict; Max-Age=\d+$/)
    const cookie = cookieOf(signedIn)
    expect((await send(page, { headers: { cookie: `a=b; ${cookie}; c` } })).status).toBe(200)
    const [until, seal] = cookie.split('=')[1]!.split('.')
    const later = (Number.parseInt(until!, 36) + 1000).toString(36)
    for (const forged of [`${later}.${seal}`, `${until}.`, `${until}`, `.${seal}`, ''])
      expect((await send(page, { headers: { cookie: `llama_guard_dashboard=${forged}` } })).status, forged).toBe(401)
    expect((await form(page, TOKEN, { origin: page.replace('http:', 'https:') })).headers['set-cookie']).toEqual([
      expect.stringMatching(/; Secure$/),
    ])
    const everything = JSON.stringify([signedIn.headers, signedIn.text, logger.lines])
    expect(everything).not.toContain(TOKEN)
  })

  it('a cookie ends by itself, and with its token.', async () => {
    const { page } = await start({ token: TOKEN })
    const cookie = cookieOf(await form(page, TOKEN))
    const request = { headers: { cookie }, socket: {} } as unknown as IncomingMessage
    expect(accessOf(request, TOKEN)).toBe('open')
    expect(accessOf(request, `${TOKEN}2`)).toBe('sign-in')
    const now = Date.now
    Date.now = () => now() + 13 * 3_600_000
    try {
      expect(accessOf(request, TOKEN)).toBe('sign-in')
    } finally {
      Date.now = now
    }
  })

  it('comes from the variable, too, and an empty option is a mistake.', async () => {
    const { page } = await start({}, {}, { LLAMA_GUARD_DASHBOARD_TOKEN: TOKEN })
    expect((await send(page)).status).toBe(401)
    expect((await send(page, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200)
    const file = await start({}, {}, { LLAMA_GUARD_DASHBOARD_TOKEN: `${TOKEN}\n` })
    expect((await send(file.page, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200)
    const guard = closing(llamaGuard({ guard: markerGuard(), logger: false }, { LLAMA_GUARD_DASHBOARD_TOKEN: '' }))
    for (const options of [{ token: '' }, { token: ' ' }, { token: 7 }, { tokn: 'x' }, { playground: 1 }])
      expect(() => guard.dashboard(options as never), JSON.stringify(options)).toThrow(/guard\.dashboard\(\)/)
  })
})

it('Pages of other origins get no event, no verdict and no session.', async () => {
  const { page, port } = await start({ playground: true })
  const foreign: Record<string, string>[] = [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: `http://localhost:${port + 1}` },
    { origin: 'http://[' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: `http://127.0.0.1:${port}` },
  ]
  for (const headers of foreign) {
    for (const [method, query] of [
      ['GET', '?events'],
      ['POST', '?playground'],
    ] as const) {
      const reply = await send(page + query, { method, headers })
      expect([reply.status, reply.json().error.code], JSON.stringify(headers)).toEqual([403, 'other_origin'])
    }
  }
  const own = { origin: `http://127.0.0.1:${port}` }
  expect((await send(`${page}?playground`, { body: {}, headers: own })).json().error.code).toBe('unreadable_request')
  const locked = await start({ token: TOKEN })
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: 'http://evil.example' }
  expect((await send(`${locked.page}?session`, { body: `token=${TOKEN}`, headers })).status).toBe(403)
})
