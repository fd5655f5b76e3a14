// guardFetch(): a handler of Requests behind the guard answers as it would alone, and what is not safe never arrives.
import { gzipSync } from 'node:zlib'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { guardFetch } from '../../src/fetch/index.js'
import type { GuardedWebRequest } from '../../src/fetch/index.js'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import { guarded, within } from '../helpers/apps.js'
import { markerGuard } from '../helpers/guards.js'
import { chat, chunk, completion, sleep } from '../helpers/http.js'

const URL_OF_CHAT = 'https://app.example/v1/chat/completions?trace=1'
const DONE = 'data: [DONE]\n\n'

type Handler = (request: GuardedWebRequest, ...rest: never[]) => unknown

const post = (body: string | object | ReadableStream, init: RequestInit = {}): Request =>
  new Request(URL_OF_CHAT, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' || body instanceof ReadableStream ? body : JSON.stringify(body),
    ...(body instanceof ReadableStream && { duplex: 'half' }),
    ...init,
  } as RequestInit)

const around = (handler: Handler, options: LlamaGuardOptions = {}) =>
  guardFetch(handler as (r: Request) => unknown, guarded(options))
/** Asks the guarded handler something safe, unless told otherwise. */
const ask = async (
  handler: Handler,
  options: LlamaGuardOptions = {},
  request = post(chat('hello')),
): Promise<Response> => (await within(around(handler, options)(request))) as Response

const reply = (words: string, init: ResponseInit = {}) => Response.json(completion(words), init)

/** A stream of events that goes on when told to. */
function eventStream(init: ResponseInit = {}): {
  readonly response: Response
  write(text: string): void
  end(): void
  fail(error: Error): void
  readonly cancelled: Promise<unknown>
} {
  let controller!: ReadableStreamDefaultController<Uint8Array>
  let onCancel!: (reason: unknown) => void
  const cancelled = new Promise((resolve) => (onCancel = resolve))
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given), cancel: onCancel })
  return {
    response: new Response(body, { headers: { 'content-type': 'text/event-stream' }, ...init }),
    write: (text) => controller.enqueue(new TextEncoder().encode(text)),
    end: () => controller.close(),
    fail: (error) => controller.error(error),
    cancelled,
  }
}

const words = (text: string): string => chunk({ content: text })

describe('A safe request', () => {
  it('reaches the handler as the very same Request, with its body unread and every other argument.', async () => {
    const request = post(chat('hello'), { headers: { 'content-type': 'application/json', 'x-one': '1' } })
    let seen: unknown[] = []
    const guard = guardFetch(async (...args: [Request, { env: string }, number]) => {
      seen = args
      expect(args[0].bodyUsed).toBe(false)
      expect(await args[0].json()).toEqual(chat('hello'))
      return reply('Hi.')
    }, guarded())
    const env = { env: 'x' }
    const response = await within(guard(request, env, 7))
    expect(seen[0]).toBe(request)
    expect(seen.slice(1)).toEqual([env, 7])
    expect(response.headers.get('llama-guard')).toBe('input=safe, output=safe')
    expect(await response.json()).toEqual(completion('Hi.'))
  })

  it('gives the handler the decisions and a signal, and keeps the class of the Request.', async () => {
    class NextRequest extends Request {
      readonly nextUrl = new URL(this.url)
    }
    const guard = guardFetch(async (request: NextRequest & GuardedWebRequest) => {
      expect(request.nextUrl.pathname).toBe('/v1/chat/completions')
      expect(request.llamaGuard?.input?.action).toBe('allow')
      expect(request.llamaGuard?.signal.aborted).toBe(false)
      expect(request.signal.aborted).toBe(false)
      return reply('Hi.')
    }, guarded())
    expect((await within(guard(new NextRequest(post(chat('hello')))))).status).toBe(200)
  })

  it('is read while its body still comes in, and its handler gets the same chunks.', async () => {
    const text = JSON.stringify(chat('hello'))
    const parts = [text.slice(0, 5), '', text.slice(5)]
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await sleep(1)
        const part = parts.shift()
        if (part === undefined) controller.close()
        else controller.enqueue(new TextEncoder().encode(part))
      },
    })
    const response = await ask(async (request) => reply(await request.text()), {}, post(body))
    expect(await response.json()).toEqual(completion(text))
  })

  it('that is no chat may have more bytes than the guard reads, and its handler gets them all.', async () => {
    const bytes = new Uint8Array(3_000_000).fill(65)
    const handler: Handler = async (request) => new Response(`${(await request.arrayBuffer()).byteLength}`)
    const upload = new Request('https://app.example/files', { method: 'PUT', body: bytes })
    expect(await (await ask(handler, { unknown: 'warn' }, upload)).text()).toBe('3000000')
  })

  it('may come as a Proxy, as it does in Next.js.', async () => {
    const proxied = new Proxy(post(chat('hello')), {
      get(target, name): unknown {
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const handler: Handler = async (request) => reply(`${request.llamaGuard?.input?.action} ${await request.text()}`)
    const response = await ask(handler, {}, proxied)
    expect(await response.json()).toEqual(completion(`allow ${JSON.stringify(chat('hello'))}`))
  })
})

describe('What is unsafe or cannot be judged', () => {
  const never: Handler = () => {
    throw new Error('the handler ran')
  }

  it('is blocked on the way in with 451, and its handler does not run.', async () => {
    const response = await ask(never, {}, post(chat('UNSAFE')))
    expect(response.status).toBe(451)
    expect(response.headers.get('connection')).toBeNull()
    expect(await response.json()).toMatchObject({ error: { code: 'content_filter', stage: 'input' } })
  })

  it('is blocked on the way out with 451, and none of its headers leaves.', async () => {
    const handler = (): Response => reply('UNSAFE', { status: 201, headers: { 'x-words': 'UNSAFE', etag: '"1"' } })
    const response = await ask(handler)
    expect(response.status).toBe(451)
    expect(response.headers.get('x-words')).toBeNull()
    expect(response.headers.get('etag')).toBeNull()
    const text = await response.text()
    expect(response.headers.get('content-length')).toBe(`${text.length}`)
    expect(text).not.toContain('UNSAFE')
  })

  it('is 503 with Retry-After when the guard is down, for requests and replies.', async () => {
    for (const response of [await ask(never, {}, post(chat('BROKEN'))), await ask(() => reply('BROKEN'))]) {
      expect(response.status).toBe(503)
      expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
      expect(await response.json()).toMatchObject({ error: { type: 'guard_unavailable' } })
    }
  })

  it.each([
    ['a body that is no JSON', () => post('{"messages": '), 400],
    ['a body that is too big', () => post(chat('word '.repeat(300_000))), 413],
  ])('is a 4xx for %s.', async (_what, request, status) => {
    expect((await ask(never, {}, request())).status).toBe(status)
  })

  it('is 400 for a body that somebody has read or locked before the guard.', async () => {
    const read = post(chat('UNSAFE'))
    await read.text()
    const locked = post(chat('UNSAFE'))
    locked.body?.getReader()
    for (const request of [read, locked]) {
      const response = await ask(never, {}, request)
      expect(await response.json()).toMatchObject({ error: { code: 'unreadable_request' } })
      expect(response.status).toBe(400)
    }
  })

  it('is found in a body whose headers deny that there is one.', async () => {
    const request = post(chat('UNSAFE'), { headers: { 'content-length': '0', 'content-type': 'application/json' } })
    expect((await ask(never, {}, request)).status).toBe(451)
  })

  it('is found in a body of a shape that the guard does not know, because it counts as mounted on a route.', async () => {
    const request = new Request('https://app.example/ask', { method: 'POST', body: '{"question":"UNSAFE"}' })
    expect((await ask(never, {}, request)).status).toBe(451)
    const query = new Request('https://app.example/ask?question=UNSAFE')
    expect((await ask(never, {}, query)).status).toBe(451)
    const passed = await ask(() => new Response('fine'), { unknown: 'warn' }, query)
    expect(await passed.text()).toBe('fine')
  })
})

describe('A stream', () => {
  it('flows word by word, each once it has been judged.', async () => {
    const events = eventStream()
    const response = ask(() => events.response, { windowMs: 20 })
    events.write(words('One '))
    const body = (await response).body!.getReader()
    const next = async () => Buffer.from((await within(body.read())).value as Uint8Array).toString()
    expect(await next()).toBe(words('One '))
    events.write(words('two.'))
    expect(await next()).toBe(words('two.'))
    events.write(DONE)
    events.end()
    expect(await next()).toBe(DONE)
    expect((await body.read()).done).toBe(true)
  })

  it('is a real 451 when its first words are unsafe, and the handler is told to stop.', async () => {
    const events = eventStream()
    events.write(words('UNSAFE'))
    const response = await ask(() => events.response)
    expect(response.status).toBe(451)
    await within(events.cancelled)
  })

  it('ends as blocked in the middle, and the handler is told to stop.', async () => {
    const events = eventStream()
    let signal: AbortSignal | undefined
    const pending = ask(
      (request) => {
        ;({ signal } = request)
        return events.response
      },
      { windowMs: 20 },
    )
    events.write(words('One '))
    const response = await pending
    events.write(words('UNSAFE'))
    const text = await within(response.text())
    expect(response.status).toBe(200)
    expect(text).toContain(words('One '))
    expect(text).toContain('"finish_reason":"content_filter"')
    expect(text).not.toContain('UNSAFE')
    expect(text.endsWith(DONE)).toBe(true)
    await within(events.cancelled)
    expect(signal?.aborted).toBe(true)
  })

  it('that breaks off does not look complete, and what was held stays held.', async () => {
    const events = eventStream()
    const pending = ask(() => events.response, { guard: markerGuard({ delay: 20 }) })
    events.write(words('One '))
    const response = await pending
    events.write(words('two'))
    const body = response.body!.getReader()
    await body.read()
    const error = new Error('the model is gone')
    events.fail(error)
    await expect(within(body.read())).rejects.toBe(error)
  })

  it('that breaks off before its first word comes out as the error of the handler.', async () => {
    const events = eventStream()
    const error = new Error('the model is gone')
    const pending = ask(() => events.response)
    await setImmediate()
    events.fail(error)
    await expect(pending).rejects.toBe(error)
  })

  it('is written no faster than it is read.', async () => {
    let written = 0
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          controller.enqueue(new TextEncoder().encode(words('word '.repeat(200))))
          if (++written === 3000) controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    const headers = { 'content-type': 'text/event-stream' }
    const response = await ask(() => new Response(body, { headers }))
    await sleep(100)
    const early = written
    expect(early).toBeLessThan(2000)
    expect((await within(response.text(), 'the body', 30_000)).length).toBe(3000 * words('word '.repeat(200)).length)
  })

  it('may be read into a buffer of the reader, and copied.', async () => {
    const events = eventStream()
    const pending = ask(() => events.response)
    events.write(words('One '))
    const response = await pending
    const copy = response.clone()
    const reader = response.body!.getReader({ mode: 'byob' })
    const read = async (): Promise<string | undefined> => {
      const { done, value } = await within(reader.read(new Uint8Array(4096)))
      return done ? undefined : Buffer.from(value!).toString()
    }
    expect(await read()).toBe(words('One '))
    const last = read()
    events.end()
    expect(await last).toBeUndefined()
    expect(await copy.text()).toBe(words('One '))
  })

  it('stops its handler when the client cancels the body.', async () => {
    const events = eventStream()
    let request: GuardedWebRequest | undefined
    const pending = ask((given) => {
      request = given
      return events.response
    })
    events.write(words('One '))
    await (await pending).body!.cancel()
    await within(events.cancelled)
    expect(request?.signal.aborted).toBe(true)
    expect(request?.llamaGuard?.signal.aborted).toBe(true)
  })

  it('stops when the signal of the Request aborts, and its reader gets the reason.', async () => {
    const leave = new AbortController()
    const events = eventStream()
    const pending = ask(() => events.response, {}, post(chat('hello'), { signal: leave.signal }))
    events.write(words('One '))
    const body = (await pending).body!.getReader()
    await body.read()
    leave.abort(new Error('the client has left'))
    await expect(within(body.read())).rejects.toThrow('the client has left')
    await within(events.cancelled)
  })
})

describe('A client that leaves early', () => {
  it('during the check of its request gets its reason, and the handler does not run.', async () => {
    const leave = new AbortController()
    let ran = false
    const pending = ask(
      () => ((ran = true), reply('Hi.')),
      { guard: markerGuard({ delay: 50 }) },
      post(chat('hello'), { signal: leave.signal }),
    )
    await sleep(10)
    leave.abort()
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' })
    await sleep(80)
    expect(ran).toBe(false)
  })

  it('before the handler returns cancels the body that the handler returns later.', async () => {
    const leave = new AbortController()
    const events = eventStream()
    const pending = ask(
      async () => (await sleep(30), events.response),
      {},
      post(chat('hello'), { signal: leave.signal }),
    )
    await sleep(15)
    leave.abort()
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' })
    await within(events.cancelled)
  })

  it('during the check of the reply gets its reason at once, and the next request is answered.', async () => {
    const leave = new AbortController()
    const guard = markerGuard({ delay: 200 })
    const request = post(chat('hello'), { signal: leave.signal })
    const pending = ask(() => reply('Hi.'), { guard }, request)
    while (guard.asked.length < 2) await sleep(5)
    leave.abort(new Error('the client has left'))
    const first = await Promise.race([pending.catch((error: unknown) => (error as Error).message), sleep(100)])
    expect(first).toBe('the client has left')
    expect((await ask(() => reply('Hi.'))).status).toBe(200)
  })

  it('before the guard is asked costs no check.', async () => {
    const guard = markerGuard()
    const request = post(chat('hello'), { signal: AbortSignal.abort() })
    await expect(ask(() => reply('Hi.'), { guard }, request)).rejects.toMatchObject({ name: 'AbortError' })
    expect(guard.asked).toEqual([])
  })
})

describe('A handler', () => {
  it('whose error is thrown throws it out of the guard, at once or later.', async () => {
    const error = new Error('my own')
    const thrown: Handler = () => {
      throw error
    }
    await expect(ask(thrown)).rejects.toBe(error)
    await expect(ask(() => Promise.reject(error))).rejects.toBe(error)
    await expect(ask(thrown, { unknown: 'warn', paths: ['/none'] })).rejects.toBe(error)
  })

  it('may return an error Response, an upgrade, or nothing, which come out as they are.', async () => {
    const failed = Response.error()
    expect(await ask(() => failed)).toBe(failed)
    // What servers return for an upgrade; a Response of this status cannot be made.
    const upgrade = { status: 101, headers: new Headers(), body: null, bodyUsed: false, webSocket: {} }
    expect(await ask(() => upgrade)).toBe(upgrade)
    expect(await ask(() => undefined)).toBeUndefined()
  })

  it.each([
    ['a text', () => 'UNSAFE'],
    ['an object with the status and body of a Response', () => ({ status: 200, body: null, bodyUsed: false })],
    ['an object with the headers and body of one', () => ({ headers: new Headers(), body: null, bodyUsed: false })],
    ['an object whose headers are a list', () => ({ status: 200, headers: [], body: null, bodyUsed: false })],
    [
      'a Response that has been read',
      async () => {
        const r = reply('UNSAFE')
        await r.text()
        return r
      },
    ],
    [
      'a Response whose body is locked',
      () => {
        const r = reply('UNSAFE')
        r.body?.getReader()
        return r
      },
    ],
  ] as [string, Handler][])('that returns %s fails as it would alone.', async (_what, handler) => {
    await expect(ask(handler)).rejects.toThrow(TypeError)
  })

  it.each([
    ['a redirect', () => Response.redirect('https://app.example/login', 302)],
    ['an empty reply', () => new Response(null)],
    ['a length that is wrong', () => reply('Hi.', { headers: { 'content-length': '3' } })],
    ['trailers that it announces', () => reply('Hi.', { headers: { trailer: 'x-t' } })],
    ['an error in its own words', () => Response.json({ error: 'Not found.' }, { status: 404 })],
    [
      'bytes that are compressed',
      () =>
        new Response(gzipSync(JSON.stringify(completion('Hi.'))), {
          headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' },
        }),
    ],
  ] as [string, () => Response][])('that answers with %s is released as it is.', async (_what, handler) => {
    expect(await told(await ask(handler))).toEqual(await told(handler()))
  })

  it('that answers with a status that no Response has fails, and its stream is stopped.', async () => {
    const events = eventStream()
    const odd = { status: 999, statusText: '', headers: new Headers(), body: events.response.body, bodyUsed: false }
    const pending = ask(() => odd)
    events.write(DONE)
    events.end()
    await expect(pending).rejects.toThrow(RangeError)
  })

  // As libraries make it that have a Response of their own; Node's servers drop such a body too.
  it.each([204, 205, 304])('that answers %i with a body answers without one.', async (status) => {
    const { headers, body } = new Response('Hi.')
    const response = await ask(() => ({ status, statusText: '', headers, body, bodyUsed: false }))
    expect([response.status, response.body]).toEqual([status, null])
  })

  it('that answers HEAD keeps its headers, and its body is dropped.', async () => {
    const request = new Request(URL_OF_CHAT, { method: 'HEAD' })
    const response = await ask(() => new Response('UNSAFE', { headers: { 'content-length': '6' } }), {}, request)
    expect(response.body).toBeNull()
    expect(response.headers.get('content-length')).toBe('6')
  })

  it('runs beside the input check with `parallel`, and a refusal aborts it.', async () => {
    const guard = markerGuard({ delay: 30 })
    let signal: AbortSignal | undefined
    const handler: Handler = async (request) => {
      ;({ signal } = request)
      await sleep(60)
      throw new Error('too late to matter')
    }
    const response = await ask(handler, { guard, parallel: true }, post(chat('UNSAFE')))
    expect(response.status).toBe(451)
    await sleep(80)
    expect(signal?.aborted).toBe(true)
  })

  it('that throws before the input check is done gives way to the refusal with `parallel`.', async () => {
    const options = { guard: markerGuard({ delay: 30 }), parallel: true }
    const handler: Handler = () => Promise.reject(new Error('my own'))
    expect((await ask(handler, options, post(chat('UNSAFE')))).status).toBe(451)
    await expect(ask(handler, options)).rejects.toThrow('my own')
  })
})

/** A Response as a client sees it, without what the guard adds. */
async function told(response: Response): Promise<object> {
  const headers = [...response.headers].filter(([name]) => name !== 'llama-guard' && name !== 'server-timing')
  const { status, statusText, body } = response
  return { status, statusText, headers, hasBody: body !== null, text: await response.text() }
}

describe('A body with a content-encoding', () => {
  const packed = (body: object, headers = {}): Request =>
    post('', {
      body: gzipSync(JSON.stringify(body)),
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip', 'x-one': '1', ...headers },
    })

  it('reaches the handler decoded, in a Request of its class without the encoding.', async () => {
    class OwnRequest extends Request {}
    const request = new OwnRequest(packed(chat('hello')))
    const seen: unknown[] = []
    const answer = await ask(
      async (given) => {
        seen.push(given instanceof OwnRequest, given.url, given.method, given.bodyUsed, given.llamaGuard !== undefined)
        seen.push(
          ['content-encoding', 'content-length', 'content-type', 'x-one'].map((name) => given.headers.get(name)),
        )
        seen.push(await given.json())
        return reply('Hi.')
      },
      {},
      request,
    )
    const headers = [null, null, 'application/json', '1']
    expect([answer.status, ...seen]).toEqual([200, true, URL_OF_CHAT, 'POST', false, true, headers, chat('hello')])
  })

  it('is judged, and refused when it has two.', async () => {
    expect((await ask(() => reply('Hi.'), {}, packed(chat('UNSAFE')))).status).toBe(451)
    const twice = { 'content-encoding': 'gzip, br' }
    expect((await ask(() => reply('Hi.'), {}, packed(chat('hello'), twice))).status).toBe(415)
  })

  it('stays as it came where nothing is judged.', async () => {
    const request = packed(chat('hello'))
    let seen: unknown
    await ask((given) => ((seen = given), reply('Hi.')), { skip: () => true }, request)
    expect(seen).toBe(request)
    expect(request.headers.get('content-encoding')).toBe('gzip')
  })
})
