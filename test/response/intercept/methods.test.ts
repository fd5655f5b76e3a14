// Calls that pass our methods on HTTP/2, where the last functions are those of the stream below the response.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { Http2ServerResponse } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { guarded } from '../../helpers/apps.js'
import { chat } from '../../helpers/http.js'
import { serveHttp2 } from '../../helpers/http2.js'

async function answered(handler: (res: Http2ServerResponse) => void): Promise<{ status: number; text: string }> {
  const http2 = await serveHttp2((req, res) =>
    guarded()(req, res, () => {
      try {
        handler(res as never)
      } catch {
        // The stream is broken.
      }
    }),
  )
  const { status, text } = await http2.ask({ body: chat('hi') })
  http2.close()
  return { status, text }
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
      expect(await answered((res) => say(res, 'so ', last))).toEqual({ status: NaN, text: '' })
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
