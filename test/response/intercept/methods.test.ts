// Calls that pass our methods on HTTP/2, where the last functions are those of the stream below the response.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, Http2ServerResponse } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { guarded, within } from '../../helpers/apps.js'
import { chat } from '../../helpers/http.js'

async function answered(handler: (res: Http2ServerResponse) => void): Promise<{ status: unknown; text: string }> {
  const server = createServer((req, res) =>
    guarded()(req as never, res as never, () => {
      try {
        handler(res)
      } catch {
        // The stream is broken.
      }
    }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  try {
    const stream = session.request({
      ':path': '/v1/chat/completions',
      ':method': 'POST',
      'content-type': 'application/json',
    })
    let status: unknown
    let text = ''
    stream
      .on('response', (headers) => (status = headers[':status']))
      .on('data', (data: Buffer) => (text += data.toString()))
      .on('error', () => undefined)
    stream.end(JSON.stringify(chat('hi')))
    await within(new Promise<void>((resolve) => stream.once('close', () => resolve())))
    return { status, text }
  } finally {
    session.destroy()
    server.close()
  }
}

const { prototype } = Http2ServerResponse
const folder = mkdtempSync(join(tmpdir(), 'llama-guard-'))
afterAll(() => rmSync(folder, { recursive: true }))
function fileOf(text: string): string {
  const path = join(folder, 'reply.txt')
  writeFileSync(path, text)
  return path
}

type Say = (res: Http2ServerResponse, first: string, last: string) => void
const BREAKING: Readonly<Record<string, Say>> = {
  'write and end of the prototype': (res, first, last) => {
    Reflect.apply(prototype.write, res, [first])
    Reflect.apply(prototype.end, res, [last])
  },
  'end of the prototype': (res, first, last) => void Reflect.apply(prototype.end, res, [first + last]),
  'write and end of the stream': (res, first, last) => {
    res.stream.write(first)
    res.stream.end(last)
  },
  'write of the prototype': (res, first, last) => {
    Reflect.apply(prototype.write, res, [first])
    res.end(last)
  },
  'end of the stream': (res, first, last) => void res.stream.end(first + last),
  'respondWithFile of the stream': ({ stream }, first, last) => stream.respondWithFile(fileOf(first + last)),
  'respondWithFD of the stream': ({ stream }, first, last) => {
    const file = openSync(fileOf(first + last), 'r')
    stream.once('close', () => closeSync(file))
    stream.respondWithFD(file)
  },
}
describe('On HTTP/2, a handler that calls', () => {
  it.each(Object.entries(BREAKING))('%s breaks its stream and sends nothing', async (_way, say) => {
    for (const last of ['fine', 'UNSAFE'])
      expect(await answered((res) => say(res, 'so ', last))).toEqual({ status: undefined, text: '' })
  })

  it('nothing but our own writes into the hold', async () => {
    const say = (first: string, last: string) => (res: Http2ServerResponse) => {
      res.write(first)
      res.end(last)
    }
    expect(await answered(say('so ', 'fine'))).toEqual({ status: 200, text: 'so fine' })
    expect((await answered(say('UN', 'SAFE'))).status).toBe(451)
  })
})
