// A handler that promises its length with `strictContentLength` gets Node's own error where it would without the guard.
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { guarded, onNode, serving } from '../../helpers/apps.js'
import { chat } from '../../helpers/http.js'
import { post, rawClient } from '../../helpers/raw.js'

type Step = (res: ServerResponse) => unknown
const write =
  (text: string, encoding: BufferEncoding = 'utf8'): Step =>
  (res) =>
    res.write(text, encoding)
const end =
  (text?: string): Step =>
  (res) =>
    text === undefined ? res.end() : res.end(text)
const length =
  (value: number | string): Step =>
  (res) =>
    res.setHeader('Content-Length', value)
const head =
  (status: number, headers: Record<string, string | number>): Step =>
  (res) =>
    res.writeHead(status, headers)
const type =
  (value: string): Step =>
  (res) =>
    res.setHeader('Content-Type', value)

const strict =
  (value: boolean): Step =>
  (res) =>
    void (res.strictContentLength = value)

const PROGRAMS: Readonly<Record<string, readonly Step[]>> = {
  'the length it promised': [length(5), end('Hello')],
  'the length in bytes': [length(7), end('größe')],
  'the length in several writes': [length('10'), write('Hello'), write('SGVsbG8=', 'base64'), end()],
  'an end that is too long': [length(4), end('Hello')],
  'an end that is too short': [length(6), end('Hello')],
  'a write that is too long': [length(4), write('Hello'), end()],
  'a second write that is too long': [length(8), write('Hello'), write('there'), end()],
  'writes that are too short': [length(12), write('Hello'), write('there'), end()],
  nothing: [length(3), end()],
  'a first write that is too long, and whose error comes with the next': [
    length(4),
    write('Hello'),
    write('there'),
    end(),
  ],
  'a write that is too long behind its head': [length(4), head(200, {}), write('Hello'), end()],
  'a promise that it takes back': [length(4), head(200, {}), write('a'), strict(false), end('Hello')],
  'a head that promises another length': [length(5), head(200, { 'Content-Length': 3 }), end('Hello')],
  'no promise': [write('Hello'), end('there')],
  'no promise and one end': [end('Hello')],
  'a promise that no body keeps': [head(204, { 'Content-Length': 3 }), end('Hello')],
  'a promise of chunks': [length(3), (res) => res.setHeader('Transfer-Encoding', 'chunked'), end('Hello')],
  'a stream that is too long': [type('text/event-stream'), length(4), write('data: Hello\n\n'), end()],
}

interface Outcome {
  readonly errors: readonly string[]
  readonly body: string
}

async function run(steps: readonly Step[], method: string, withGuard: boolean): Promise<Outcome> {
  const errors: string[] = []
  const app = onNode(withGuard ? [guarded()] : [], (_req, res) => {
    res.strictContentLength = true
    for (const step of steps)
      try {
        step(res)
      } catch (error) {
        errors.push(`${(error as NodeJS.ErrnoException).code} ${(error as Error).message}`)
        return void res.destroy()
      }
  })
  return await serving(app, async ({ port }) => {
    const client = await rawClient(port)
    client.write(post(chat('hi'), { headers: ['Connection: close'] }).replace(/^POST/, method))
    await client.closed
    return { errors, body: client.text().split('\r\n\r\n').slice(1).join('\r\n\r\n') }
  })
}

describe.each(['POST', 'HEAD'])('A strict handler that answers a %s', (method) => {
  it.each(Object.entries(PROGRAMS))('with %s meets what it meets without the guard', async (_name, steps) => {
    expect(await run(steps, method, true)).toEqual(await run(steps, method, false))
  })
})
