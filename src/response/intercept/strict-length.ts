// The length that a handler has promised with `res.strictContentLength`. Node throws at the write that breaks it, and a
// held reply must break where Node would.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'

export class StrictLength {
  readonly #res: ServerResponse
  readonly #promised: number
  #written = 0

  private constructor(res: ServerResponse, promised: number) {
    this.#res = res
    this.#promised = promised
  }

  /** Call it when the head is committed. Undefined for a reply that promises nothing. */
  static of(res: ServerResponse): StrictLength | undefined {
    if (!res.strictContentLength) return undefined
    const length = res.getHeader('content-length')
    const { statusCode } = res
    if (length === undefined || res.hasHeader('transfer-encoding') || statusCode === 204 || statusCode === 304)
      return undefined
    return res.req.method === 'HEAD' ? undefined : new StrictLength(res, Number(length))
  }

  /**
   * `withHead`: the head leaves with this write. Node does not know its length yet, so that the next call fails.
   * @throws Node's `ERR_HTTP_CONTENT_LENGTH_MISMATCH` when the reply grows too long, or ends too short.
   */
  add(bytes: Uint8Array | undefined, ends: boolean, withHead = false): void {
    // The handler may take its promise back.
    if (!this.#res.strictContentLength) return
    const written = this.#written + (bytes?.length ?? 0)
    if ((written > this.#promised && !withHead) || (ends && written !== this.#promised)) this.#throw(written)
    this.#written = written
  }

  #throw(written: number): never {
    const unsent = new ServerResponse(new IncomingMessage(new Socket()))
    unsent.strictContentLength = true
    unsent.setHeader('content-length', this.#promised)
    unsent.end(Buffer.alloc(written))
    throw new Error('Node has not thrown.')
  }
}
