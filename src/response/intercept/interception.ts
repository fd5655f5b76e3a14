// The handler's side of an intercepted response: what each of its calls does, in each state of the reply.
import type { ServerResponse } from 'node:http'
import { bytesOf, callbackOf, checkChunk, hasChunk, type Callback } from './arguments.js'
import { HeldResponse } from './held-response.js'
import type { Method } from './methods.js'
import { throwHeadersSent, writeAfterDestroy, writeAfterEnd, type HeadMethod } from './node-errors.js'
import { StrictLength } from './strict-length.js'

export class Interception extends HeldResponse {
  #strict: StrictLength | undefined

  call(method: Method, args: unknown[]): unknown {
    // Node's end() calls res.write on HTTP/2, which is a wrapper of ours when somebody has defined one.
    if (this.layers.leaving) return this.layers.callBelow(method, args)
    switch (method) {
      case 'write':
        return this.#onWrite(args)
      case 'end':
        return this.#onEnd(args)
      case 'writeHead':
        return this.#onWriteHead(args)
      case 'flushHeaders':
        return this.#onFlushHeaders()
      default:
        return this.#onHeader(method, args)
    }
  }

  #onWrite(args: unknown[]): unknown {
    if (this.passes) return this.layers.callBelow('write', args)
    // HTTP/2 sends the head before it checks the chunk, so the check comes later.
    if (!this.http2) checkChunk(args[0], false)
    const callback = callbackOf(args)
    if (this.end.takesLastBytes(args)) return this.layers.leave(() => this.layers.callBelow('write', args))
    if (this.isGone) return writeAfterDestroy(callback)
    if (this.state === 'refused') {
      if (callback !== undefined) process.nextTick(callback)
      // True, so that a pipe reads to its end. It would wait for ever for a 'drain' that nobody emits.
      return true
    }
    if (this.end.came) return this.#tooLate('write', '', callback)
    const withHead = !this.head.committed
    this.#commit('write')
    if (this.state !== 'hold') return this.#onWrite(args)
    if (this.http2) checkChunk(args[0], true)
    const bytes = bytesOf(args)
    this.#strict?.add(bytes, false, withHead)
    this.clock?.gave(false)
    this.hold?.write(bytes)
    return this.writes.add(callback, this.state === 'hold' && this.hold?.full === true)
  }

  #onEnd(args: unknown[]): unknown {
    const { res } = this
    if (this.passes) return this.layers.callBelow('end', args)
    const chunk = hasChunk(args, this.http2)
    if (chunk && !this.http2) checkChunk(args[0], false)
    const callback = callbackOf(args)
    if (this.end.takesLastBytes(args)) return this.layers.leave(() => this.layers.callBelow('end', args))
    if (this.closed || this.isGone) {
      this.end.note(args, chunk)
      if (callback !== undefined && (this.state === 'refused' || this.http2)) process.nextTick(callback)
      return res
    }
    if (this.end.came) {
      this.#tooLate('end', chunk ? ' ' : '', callback)
      return res
    }
    this.#commit('end')
    if (this.state !== 'hold') return this.#onEnd(args)
    if (chunk && this.http2) checkChunk(args[0], true)
    const bytes = chunk ? bytesOf(args) : undefined
    this.#strict?.add(bytes, true)
    this.end.note(args, chunk)
    if (!this.http2) this.end.callOnFinish(this.writes)
    this.clock?.gave(true)
    // On HTTP/2, a stream that is destroyed after its end loses what Node has not sent.
    if (!this.http2) this.outliveHandler()
    this.hold?.end(bytes !== undefined && bytes.length > 0 ? bytes : undefined)
    return res
  }

  /**
   * Handles a call after the handler's end. The functions below decide its effect, once they have the end: Node emits
   * an 'error', compression ignores the call. They get it without the handler's bytes, which nobody has judged.
   * Without an 'error' listener the call is not passed on, because the event would end the process.
   */
  #tooLate(method: 'write' | 'end', chunk: string, callback: Callback | undefined): false {
    const bareEnd = method === 'end' && chunk === ''
    const mayWait = this.state === 'hold' && (bareEnd || this.errorIsHeard)
    if (!mayWait || !this.end.addLate(method, bareEnd ? [callback] : [chunk, callback]))
      if (callback !== undefined) process.nextTick(callback, writeAfterEnd())
    return this.writes.noteTooLate()
  }

  #onWriteHead(args: unknown[]): unknown {
    const { res } = this
    if (this.state === 'gone') return res
    if (this.state === 'refused') return this.head.writeRefusal()
    if (this.state === 'hold' && !this.head.committed) {
      this.#commitHead(args)
      // Nobody holds this reply, so its head leaves now. An implicit head leaves with the write or end that caused
      // it.
      return this.passes && this.head.isExplicit ? this.layers.callBelow('writeHead', [res.statusCode]) : res
    }
    if (this.state === 'hold' && !this.head.left) {
      if (this.layers.calledByNode('writeHead')) {
        // Node's own write() or end() was called past our methods. There is no head yet, and Node takes the chunk for
        // the whole body.
        ;(res as ServerResponse & { _contentLength?: number | null })._contentLength = null
        return res
      }
      throwHeadersSent('writeHead', args, this.http2)
    }
    return this.layers.callBelow('writeHead', args)
  }

  #onFlushHeaders(): void {
    if (this.state === 'hold' && !this.head.committed) this.res.writeHead(this.res.statusCode)
    if (this.state !== 'hold') this.layers.callBelow('flushHeaders', [])
  }

  #onHeader(method: Exclude<HeadMethod, 'writeHead'>, args: unknown[]): unknown {
    // The handler does not know that the guard has already answered. On Express 4, Node's error for a late header
    // would be an unhandled rejection in an async handler.
    if (this.state === 'refused') return method === 'removeHeader' ? undefined : this.res
    if (this.headTaken) throwHeadersSent(method, args, this.http2)
    return this.layers.callBelow(method, args)
  }

  /**
   * Commits the head as Node's implicit head does: through `res.writeHead`, so that middleware which wrapped it after
   * us runs its hooks before the hold is chosen.
   */
  #commit(by: 'write' | 'end'): void {
    if (this.head.committed) return
    const { res } = this
    this.head.commitBy(by, () => {
      res.writeHead(res.statusCode)
      // A wrapper of writeHead did not call ours.
      if (!this.head.committed) this.#commitHead([res.statusCode])
    })
  }

  #commitHead(args: readonly unknown[]): void {
    this.head.commit(args)
    if (!this.http2) this.#strict = StrictLength.of(this.res)
    const hold = this.layers.leave(() => this.choose?.(this))
    if (this.state !== 'hold') return
    this.hold = hold
    if (hold === undefined) this.leaveHold('open')
  }

  bypassed(args: unknown[]): unknown {
    // end() and flushHeaders pass an empty chunk.
    if (!this.http2 && (args[0] as string | Buffer).length === 0) return true
    // Before the head, the arguments are the handler's own bytes. After the head, they are already framed for HTTP.
    if (!this.head.left && args.length > 0) return this.#onWrite(args.slice(0, 3))
    // On HTTP/2 the bytes are never framed here, but this stream has ended and cannot be held any more.
    this.destroy()
    return false
  }
}
