// The only file that touches res.write, end, writeHead and flushHeaders. It knows HTTP, not what the bytes mean.
// A patched response is in one of four states: hold -> open | refused | gone. Whoever holds decides; see Hold and Exit.
import { STATUS_CODES, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import { dropped, readArguments, type Callback } from './arguments.js'
import { keepHead, replaceHeaders, statusOf } from './head.js'
import type { Exit, Hold } from './hold.js'

type State = 'hold' | 'open' | 'refused' | 'gone'

/**
 * Patches a response. `choose` is called once, when the handler commits its status and headers (or first writes),
 * and says who holds the body; undefined lets the response through untouched. Leave it out when no handler will ever run.
 */
export function intercept(res: ServerResponse, choose?: (exit: Exit) => Hold | undefined): Exit {
  // Saved at mount time: what a later middleware wrapped has already seen its own `end` and would swallow a refusal.
  const original = { write: res.write, end: res.end, writeHead: res.writeHead, flushHeaders: res.flushHeaders, destroy: res.destroy }
  const mountHeaders: OutgoingHttpHeaders = { ...res.getHeaders() }
  const onPatchedBefore = Object.hasOwn(res, 'on')
  const http2 = (res.req?.httpVersionMajor ?? 1) >= 2
  let state: State = 'hold'
  let hold: Hold | undefined
  // The status the handler committed. What it sets after that would be too late without us, and must be so with us.
  let committed: { readonly status: number } | undefined
  let ended = false
  let endCallback: Callback | undefined
  let slowClient = false
  let toldFull = false
  let shadowed = true
  let toldToWait = false
  // Who writes the head before the body gets other framing from Node than who leaves it to `end(body)`.
  let headWritten = false
  let headImplied = false
  let refusal: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly length: number } | undefined
  // From the first release on, writeHead is Node's own business again: its implicit header comes back through our patch.
  let releasing = false

  const isClosed = (): boolean => state === 'refused' || state === 'gone'

  /** As Node's implicit head: through `res.writeHead`, so that the hooks of whoever wrapped it after us run before anything is chosen. */
  function commit(): void {
    if (committed) return
    headImplied = true
    try {
      res.writeHead(res.statusCode)
    } finally {
      headImplied = false
    }
    commitHead()
  }

  function commitHead(): void {
    if (committed) return
    committed = { status: statusOf(res) }
    res.statusCode = committed.status
    hold = choose?.(exit)
    if (hold === undefined && state === 'hold') exit.open()
  }

  /** Before the first byte: compression and session ask headersSent whether their own header hook has run. */
  function openHead(): void {
    restoreGetters()
    if (res.headersSent) return
    if (committed) res.statusCode = committed.status
    if (headWritten) original.writeHead.call(res, res.statusCode)
  }

  function endOut(chunk?: Buffer | string): void {
    const args: unknown[] = chunk === undefined || chunk.length === 0 ? [] : [chunk]
    // HTTP/2's end() hands its chunk to res.write, which is ours and takes nothing from anybody once it is closed.
    if (http2 && isClosed() && args.length > 0) Reflect.apply(original.write, res, args.splice(0))
    if (endCallback) args.push(endCallback)
    Reflect.apply(original.end, res, args)
  }

  /** What Node throws at a bad head or a wrong length nobody after the handler would catch: then the connection is all that is left to end. */
  function leave<T>(send: () => T, broken: T): T {
    try {
      return send()
    } catch {
      exit.destroy()
      return broken
    }
  }

  /** A handler whose source breaks off with the signal destroys what it pipes into: our answer must get out before. */
  function outliveHandler(): void {
    const destroy = Object.getOwnPropertyDescriptor(res, 'destroy')
    res.destroy = () => res
    ignoreLateHeaders(res)
    res.once('finish', () => {
      if (destroy) Object.defineProperty(res, 'destroy', destroy)
      else Reflect.deleteProperty(res, 'destroy')
    })
  }

  /** A handler that was told to wait runs dry instead of waiting for a client that gets another answer. */
  function letRunDry(): void {
    if (toldToWait) process.nextTick(() => res.emit('drain'))
    toldToWait = false
  }

  const exit: Exit = {
    res,
    release(chunk) {
      if (isClosed()) return false
      releasing = true
      const fits = leave(() => {
        openHead()
        return original.write.call(res, chunk, 'utf8')
      }, false)
      if (!fits) slowClient = true
      return fits
    },
    finish(chunk) {
      if (isClosed()) return
      state = 'open'
      leave(() => {
        openHead()
        endOut(chunk)
      }, undefined)
    },
    refuse(status, headers, body) {
      if (isClosed()) return
      state = 'refused'
      restoreGetters()
      if (res.headersSent) return void original.destroy.call(res)
      // A handler that is cut off may answer the abort with an error, upon which Express destroys the socket: no next request may be on it.
      const closing: Record<string, string> = choose === undefined || ended || http2 ? {} : { connection: 'close' }
      refusal = { status, headers: { ...headers, ...closing }, length: Buffer.byteLength(body) }
      replaceHead()
      outliveHandler()
      leave(() => endOut(body), undefined)
      letRunDry()
    },
    cut(lastBytes) {
      if (isClosed()) return
      state = 'refused'
      restoreGetters()
      outliveHandler()
      leave(() => {
        // Trailers are the handler's words too, and nobody has judged them.
        if (!http2) res.addTrailers({})
        endOut(lastBytes)
        flush(res)
      }, undefined)
      letRunDry()
    },
    destroy() {
      if (state === 'gone') return
      state = 'gone'
      original.destroy.call(res)
    },
    abandon() {
      if (state === 'open' && !res.writableEnded) exit.destroy()
    },
    open() {
      if (isClosed()) return
      state = 'open'
      restoreGetters()
    },
    drained() {
      if (!toldFull || slowClient || isClosed()) return
      toldFull = false
      res.emit('drain')
    },
  }

  function replaceHead(): void {
    if (refusal === undefined || res.headersSent) return
    const { status, headers, length } = refusal
    replaceHeaders(res, mountHeaders, headers, length)
    res.statusCode = status
    if (!http2 && res.statusMessage) res.statusMessage = STATUS_CODES[status] ?? ''
  }

  res.write = function guardedWrite(...args: unknown[]): boolean {
    if (state === 'open') return Reflect.apply(original.write, res, args) as boolean
    const { chunk, callback } = readArguments(args)
    if (chunk === undefined) throw Object.assign(new TypeError('May not write null values to stream'), { code: 'ERR_STREAM_NULL_VALUES' })
    if (state === 'gone') return dropped(callback)
    if (state === 'refused' || ended) {
      if (callback) process.nextTick(callback)
      // True, so that a pipe runs dry instead of waiting for a 'drain' that nobody will send.
      return true
    }
    commit()
    if (state !== 'hold') return Reflect.apply(res.write, res, args) as boolean
    hold?.write(chunk)
    // Called now, not on release: a handler that awaits it before the next write would wait for a verdict that waits for the rest.
    if (callback) process.nextTick(callback)
    // A 'drain' of ours reaches nobody once a middleware before us has replaced res.on, so then the byte bound alone holds.
    toldFull = hold?.full === true && !onPatchedBefore
    toldToWait = slowClient || toldFull
    return !toldToWait
  } as ServerResponse['write']

  res.end = function guardedEnd(...args: unknown[]): ServerResponse {
    if (state === 'open') return Reflect.apply(original.end, res, args) as ServerResponse
    const { chunk, callback } = readArguments(args)
    if (isClosed() || ended) {
      if (callback) process.nextTick(callback)
      return res
    }
    commit()
    if (state !== 'hold') return Reflect.apply(res.end, res, args) as ServerResponse
    ended = true
    endCallback = callback
    if (committed) res.statusCode = committed.status
    hold?.end(chunk !== undefined && chunk.length > 0 ? chunk : undefined)
    return res
  } as ServerResponse['end']

  res.writeHead = function guardedWriteHead(...args: unknown[]): ServerResponse {
    if (refusal !== undefined) {
      // Hooks of whoever wrapped us have just run, and may have announced another body: compression a gzipped one.
      if (res.headersSent) return res
      replaceHead()
      return original.writeHead.call(res, refusal.status)
    }
    if (state !== 'hold' || releasing) return Reflect.apply(original.writeHead, res, args) as ServerResponse
    if (!committed) {
      keepHead(res, args)
      headWritten = !headImplied
      commitHead()
      if (state !== 'hold' && !isClosed() && headWritten) return original.writeHead.call(res, res.statusCode)
    }
    return res
  }

  res.flushHeaders = function guardedFlushHeaders(): void {
    if (state === 'hold' && !committed) res.writeHead(res.statusCode)
    if (state !== 'hold') original.flushHeaders.call(res)
  }

  // While held, a handler must see what it would see without us: Express' error handling asks headersSent to tell a clean
  // failure from a broken reply, and would otherwise append its error page to half a reply.
  shadowGetter(res, 'headersSent', () => shadowed && committed !== undefined)
  shadowGetter(res, 'writableEnded', () => shadowed && ended)
  // Switched off, not deleted: a deleted property makes every later access to the response a slow one, Node's own included.
  function restoreGetters(): void {
    shadowed = false
  }

  res.on('drain', () => {
    slowClient = false
  })
  res.once('close', () => {
    if (res.writableFinished || state === 'gone') return
    const wasHeld = state === 'hold'
    state = 'gone'
    restoreGetters()
    if (wasHeld) hold?.gone()
  })
  return exit
}

function shadowGetter(res: ServerResponse, name: 'headersSent' | 'writableEnded', held: () => boolean): void {
  Object.defineProperty(res, name, { configurable: true, enumerable: false, get: () => held() || Reflect.get(Object.getPrototypeOf(res) as object, name, res) === true })
}

/**
 * A handler that answers after we have does not know it: what Node throws at its headers would be an unhandled rejection in an async
 * handler on Express 4. Until the head is out they still count, for the hooks of session and compression.
 */
function ignoreLateHeaders(res: ServerResponse): void {
  const { setHeader, appendHeader, removeHeader } = res
  res.setHeader = (name, value) => (res.headersSent ? res : setHeader.call(res, name, value))
  res.appendHeader = (name, value) => (res.headersSent ? res : appendHeader.call(res, name, value))
  res.removeHeader = (name) => {
    if (!res.headersSent) removeHeader.call(res, name)
  }
}

/** compression() keeps small writes in zlib until it is told otherwise. */
export function flush(res: ServerResponse): void {
  ;(res as ServerResponse & { flush?: () => void }).flush?.()
}
