// A request without a body through a guarded proxy: it goes up without one, and its url is judged.
import { buffer } from 'node:stream/consumers'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { llamaGuard } from '../../src/llama-guard.js'
import { closing } from '../helpers/closing.js'
import { markerGuard } from '../helpers/guards.js'
import { send, serve } from '../helpers/http.js'

interface Proxy {
  readonly url: string
  /** What reached the upstream: method, url, type, coding, body. */
  readonly got: readonly string[]
}

async function proxy(): Promise<Proxy> {
  const got: string[] = []
  const upstream = await serve(async (req, res) => {
    const { 'content-type': type = '', 'transfer-encoding': coding = '' } = req.headers
    got.push([req.method, req.url, type, coding, (await buffer(req)).toString()].join(' | '))
    res.writeHead(200, { 'content-type': 'application/json' }).end('{"deleted":true}')
  })
  const guard = llamaGuard(
    { guard: markerGuard(), logger: false, upstream: `${closing(upstream).url}/v1`, paths: ['/v1/*'] },
    {},
  )
  const { url } = closing(await serve(express().use(guard)))
  return { url, got }
}

describe('a request without a body', () => {
  it.each([
    ['DELETE', '/v1/files/the-report-of-may'],
    ['POST', '/v1/files/the-report-of-may/restore'],
    ['GET', '/v1/files/the-report-of-may'],
    // An API of ours.
    ['DELETE', '/v1/mcp', { 'mcp-session-id': 'a1' }],
  ])('goes up without one: %s %s', async (method, path, headers: Record<string, string> = {}) => {
    const { url, got } = await proxy()
    expect((await send(`${url}${path}`, { method, headers })).status).toBe(200)
    expect(got).toEqual([`${method} | ${path} |  |  | `])
  })

  it('is judged by its url', async () => {
    const { url, got } = await proxy()
    expect((await send(`${url}/v1/files/UNSAFE`, { method: 'DELETE' })).status).toBe(451)
    expect(got).toEqual([])
  })
})

it('a DELETE with a body takes it along', async () => {
  const { url, got } = await proxy()
  expect((await send(`${url}/v1/files`, { method: 'DELETE', body: { names: ['may'] } })).status).toBe(200)
  expect(got).toEqual(['DELETE | /v1/files | application/json |  | {"names":["may"]}'])
})
