// A real server and a client that keeps what a client library would hide: raw bytes, when they came, and how
// the connection ended.
import { createServer, request, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'

export interface Running {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

export async function serve(listener: RequestListener): Promise<Running> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
  readonly chunks: readonly { readonly at: number; readonly data: Buffer }[]
  /** How the response ended: whole, or broken off. */
  readonly complete: boolean
  json(): any
}

export interface SendOptions {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer | object
  /** Called with the bytes as they come; return true to leave. */
  onData?(data: Buffer): boolean | undefined
}

/**
 * Sends one request and waits for the response to end, however it ends. Rejects when the connection breaks
 * before the headers.
 */
export function send(url: string, options: SendOptions = {}): Promise<Reply> {
  const { body } = options
  const payload = typeof body === 'string' || Buffer.isBuffer(body) || body === undefined ? body : JSON.stringify(body)
  const headers = {
    ...(payload !== undefined && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(payload)),
    }),
    ...options.headers,
  }
  return new Promise((resolve, reject) => {
    const req = request(
      url,
      { method: options.method ?? (payload === undefined ? 'GET' : 'POST'), headers, agent: false },
      (res) => {
        const chunks: { at: number; data: Buffer }[] = []
        const done = (complete: boolean): void => {
          const bytes = Buffer.concat(chunks.map(({ data }) => data))
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            body: bytes,
            text: bytes.toString('utf8'),
            chunks,
            complete,
            json: () => JSON.parse(bytes.toString('utf8')),
          })
        }
        res.on('data', (data: Buffer) => {
          chunks.push({ at: performance.now(), data })
          if (options.onData?.(data)) req.destroy()
        })
        res.once('end', () => done(res.complete))
        res.once('error', () => done(false))
        res.once('close', () => done(res.complete))
      },
    )
    req.once('error', reject)
    req.end(payload)
  })
}

export const chat = (text: string, extra: object = {}): object => ({
  model: 'demo',
  messages: [{ role: 'user', content: text }],
  ...extra,
})

export function completion(
  content: string | null,
  message: object = {},
): { choices: { index: number; message: object; finish_reason: string }[] } & Record<string, unknown> {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1711997860,
    model: 'demo',
    choices: [{ index: 0, message: { role: 'assistant', content, ...message }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
  }
}

/** One Chat Completions chunk as an SSE event. */
export function chunk(delta: object, options: { index?: number; finish?: string | null } = {}): string {
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1711997860, model: 'demo', choices: [{ index: options.index ?? 0, delta, finish_reason: options.finish ?? null }] })}\n\n`
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The text of a reply whose body came compressed by a middleware. */
export function decoded({ body, headers }: Reply): string {
  const coding = headers['content-encoding']
  return (coding === 'gzip' ? gunzipSync(body) : coding === 'br' ? brotliDecompressSync(body) : body).toString()
}

/** A port that nobody listens on, for a program that wants to be told one. */
export async function freePort(): Promise<number> {
  const { port, close } = await serve(() => undefined)
  await close()
  return port
}
