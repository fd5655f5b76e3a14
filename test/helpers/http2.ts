// A server of HTTP/2 on Node's compat API, without TLS, and a client of it that tells all that came.
import { connect, createServer, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { within } from './apps.js'

export interface Http2Reply {
  /** NaN when the stream broke before its head. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly trailers: IncomingHttpHeaders
  readonly code: number | undefined
}

export interface Http2Asked {
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Undefined: the stream ends with its head or, with `late`, with an empty frame behind it. */
  readonly body?: object | undefined
  readonly late?: boolean
}

export interface Http2Running {
  readonly session: ClientHttp2Session
  ask(asked: Http2Asked): Promise<Http2Reply>
  close(): void
}

export async function serveHttp2(
  listener: (req: IncomingMessage, res: ServerResponse) => unknown,
): Promise<Http2Running> {
  const server = createServer((req, res) => void listener(req as never, res as never))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return {
    session,
    ask({ path = '/v1/chat/completions', method = 'POST', headers, body, late = false }) {
      const type = body !== undefined && { 'content-type': 'application/json' }
      const asked = { ':path': path, ':method': method, ...type, ...headers }
      const stream = session.request(asked, { endStream: body === undefined && !late })
      let head: IncomingHttpHeaders = {}
      let trailers: IncomingHttpHeaders = {}
      let text = ''
      stream.setEncoding('utf8').on('data', (data: string) => (text += data))
      stream
        .on('response', (got) => (head = got))
        .on('trailers', (got) => (trailers = got))
        .on('error', () => undefined)
      if (body !== undefined) stream.end(JSON.stringify(body))
      else if (late) setTimeout(() => stream.end(), 10)
      const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()))
      return within(
        closed.then(() => ({ status: Number(head[':status']), headers: head, text, trailers, code: stream.rstCode })),
      )
    },
    close() {
      session.destroy()
      server.close()
    },
  }
}
