// The head of a held response: committed once by the handler, and sent once, as the handler's or as a refusal's.
import { STATUS_CODES, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import { keepHead, replaceHeaders } from './head.js'
import type { Layers } from './layers.js'

/** The method that commits the head. */
export type Committer = 'writeHead' | 'write' | 'end'

interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly length: number
}

export class HeldHead {
  readonly #res: ServerResponse
  readonly #layers: Layers
  readonly #http2: boolean
  readonly #mountHeaders: OutgoingHttpHeaders
  #committed: { readonly status: number; readonly message: string } | undefined
  /**
   * Node computes other headers for a head that leaves with the whole body, and middleware below may still add headers
   * to one that leaves with the first bytes.
   */
  #committedBy: Committer = 'writeHead'
  #left = false
  #refusal: Refusal | undefined

  constructor(res: ServerResponse, layers: Layers, mountHeaders: OutgoingHttpHeaders, http2: boolean) {
    this.#res = res
    this.#layers = layers
    this.#mountHeaders = mountHeaders
    this.#http2 = http2
  }

  /** True when the handler has committed its head. Later header changes throw, as they would without the guard. */
  get committed(): boolean {
    return this.#committed !== undefined
  }

  /** True when the head has been passed to the functions below. */
  get left(): boolean {
    return this.#left
  }

  /** True when the handler wrote the head itself, and not by its first write or its end. */
  get isExplicit(): boolean {
    return this.#committedBy === 'writeHead'
  }

  /** Keeps what `writeHead` was given. */
  commit(args: readonly unknown[]): void {
    const res = this.#res
    keepHead(res, args, this.#http2)
    // HTTP/2 has no reason phrase, and Node warns when it is read.
    this.#committed = { status: res.statusCode, message: this.#http2 ? '' : res.statusMessage }
  }

  /** Runs `write`, which calls `writeHead` as Node does for its implicit head. */
  commitBy(by: Committer, write: () => void): void {
    this.#committedBy = by
    try {
      write()
    } finally {
      if (!this.committed) this.#committedBy = 'writeHead'
    }
  }

  /**
   * Sends the head before the first byte. An implicit head is left to `next`, the call that follows, where Node makes
   * of it what it would have made of the handler's call.
   */
  open(next?: 'write' | 'end'): void {
    if (this.#left) return
    this.#left = true
    const res = this.#res
    if (res.headersSent || this.#committed === undefined) return
    res.statusCode = this.#committed.status
    if (!this.#http2) res.statusMessage = this.#committed.message
    const byBody = next === 'write' ? !this.isExplicit : next === 'end' && this.#committedBy === 'end'
    if (!byBody) this.#layers.callBelow('writeHead', [res.statusCode])
  }

  /** Replaces the handler's head with the head of a refusal. */
  refuse(refusal: Refusal): void {
    this.#refusal = refusal
    this.#replace(refusal)
  }

  /**
   * Writes the head of the refusal when Node asks for its implicit head later. The handler may have changed the
   * headers in between.
   */
  writeRefusal(): unknown {
    const res = this.#res
    const refusal = this.#refusal
    if (res.headersSent || refusal === undefined) return res
    return this.#layers.leave(() => {
      this.#replace(refusal)
      return this.#layers.callBelow('writeHead', [res.statusCode])
    })
  }

  #replace({ status, headers, length }: Refusal): void {
    const res = this.#res
    replaceHeaders(res, this.#mountHeaders, headers, length)
    res.statusCode = status
    if (!this.#http2) res.statusMessage = STATUS_CODES[status] ?? ''
  }
}
