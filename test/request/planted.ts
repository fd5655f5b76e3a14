// Sends requests with a planted word and finds the word in a prompt of the guard, or a 4xx. For the tables of
// what is recognised as a chat.
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import type { Middleware } from '../../src/types.js'
import { guarded, within } from '../helpers/apps.js'
import { markerGuard } from '../helpers/guards.js'
import { type Running, serve } from '../helpers/http.js'

export const WORD = 'PLANTED'
export const LIMIT = 64 * 1024
export const guard = markerGuard()
/** What the handlers were given. */
export const handled: { body: unknown; raw: string }[] = []

export function forget(): void {
  handled.length = 0
  guard.asked.length = 0
}
beforeEach(forget)

type AnyRequest = IncomingMessage & { body?: unknown; rawBody?: unknown }

export const bytesOf = async (req: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
export const handler = async (req: AnyRequest, res: ServerResponse): Promise<void> => {
  const raw = req.readableEnded ? Buffer.alloc(0) : await bytesOf(req).catch(() => Buffer.from('broken off'))
  handled.push({ body: req.body, raw: raw.toString('latin1') })
  res.setHeader('content-type', 'application/json')
  res.end('{"ok":true}')
}
export const ours = (options: LlamaGuardOptions = {}): Middleware =>
  guarded({ guard, check: ['input'], maxBodyBytes: LIMIT, ...options })
export const prompts = (): string => guard.asked.flatMap((turns) => turns.map(({ text }) => text)).join('\n')

export interface Sent {
  readonly path?: string
  readonly method?: string
  readonly type?: string | undefined
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer | undefined
}

/** Sends the path as it stands: no client library tidies it up. */
export function sendRaw(
  server: Running,
  { path = '/ask', method = 'POST', type, headers, body }: Sent,
): Promise<number> {
  const asked = new Promise<number>((resolve, reject) => {
    const req = http.request(
      {
        port: server.port,
        path,
        method,
        agent: false,
        headers: {
          ...(type !== undefined && { 'content-type': type }),
          ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
          ...headers,
        },
      },
      (res) => res.resume().on('end', () => resolve(res.statusCode ?? 0)),
    )
    req.on('error', reject)
    req.end(body)
  })
  return within(asked)
}

/** It is judged, and reaches its handler. */
export async function expectSeen(server: Running, sent: Sent, word = WORD): Promise<void> {
  expect(await sendRaw(server, sent)).toBe(200)
  expect(prompts()).toContain(word)
}

export async function expectRefused(server: Running, sent: Sent, ...statuses: readonly number[]): Promise<void> {
  expect(statuses).toContain(await sendRaw(server, sent))
  expect(handled).toEqual([])
}

export async function expectUntouched(server: Running, sent: Sent): Promise<void> {
  expect(await sendRaw(server, sent)).toBe(200)
  expect(guard.asked).toEqual([])
  expect(handled).toHaveLength(1)
}

/** Serves for the tests of one block. */
export function serving(listener: RequestListener): () => Running {
  let server: Running | undefined
  beforeAll(async () => {
    server = await serve(listener)
  })
  afterAll(() => server?.close())
  return () => server!
}

export const messages = [{ role: 'user', content: WORD }]
export const chat = JSON.stringify({ messages })
export const json = 'application/json'
export const form = 'application/x-www-form-urlencoded'
