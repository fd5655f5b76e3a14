// Tells whether the bytes of a stream are a text that every client reads alike: UTF-8 without zeros. Of other bytes a
// client may read words that the guard does not see.
import { isUtf8 } from 'node:buffer'
import { TextDecoder } from 'node:util'
import { LlamaGuardError } from '../../errors.js'
import { markedOrder } from '../byte-order-mark.js'

const NO_BYTES = Buffer.alloc(0)

/** Needs one instance per stream. */
export class SoundText {
  /** The first bytes of the stream, two at least once they have come. */
  #beginning: Buffer = NO_BYTES
  /** Set from the first chunk on that does not end with a whole character. */
  #decoder: TextDecoder | undefined

  /** @throws LlamaGuardError `unreadable_response` for a chunk that is no UTF-8, or holds a zero. */
  check(chunk: Buffer): void {
    if (this.#beginning.length < 2) {
      this.#beginning = Buffer.concat([this.#beginning, chunk.subarray(0, 2)])
      if (markedOrder(this.#beginning) !== undefined) throw unreadable('is in UTF-16')
    }
    if (chunk.includes(0)) throw unreadable('holds binary data')
    // `isUtf8` is tried first, because it makes no string.
    if (this.#decoder === undefined && isUtf8(chunk)) return
    this.#decoder ??= new TextDecoder('utf-8', { fatal: true })
    try {
      this.#decoder.decode(chunk, { stream: true })
    } catch {
      throw unreadable('is not in UTF-8')
    }
  }
}

function unreadable(what: string): LlamaGuardError {
  return new LlamaGuardError('unreadable_response', `The stream ${what}, so it cannot be judged. Send UTF-8.`)
}
