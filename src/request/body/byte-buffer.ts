// Collects bytes that arrive in pieces in one buffer that doubles. A million pieces of one byte cost little more time
// and memory than one piece of a million bytes.

export class ByteBuffer {
  #buffer: Buffer = Buffer.alloc(0)
  #size = 0

  get size(): number {
    return this.#size
  }

  add(piece: Buffer): void {
    // Most bodies are one piece, which is kept without a copy.
    if (this.#size === 0) this.#buffer = piece
    else {
      const size = this.#size + piece.length
      if (size > this.#buffer.length) {
        const larger = Buffer.allocUnsafe(size * 2)
        this.#buffer.copy(larger, 0, 0, this.#size)
        this.#buffer = larger
      }
      piece.copy(this.#buffer, this.#size)
    }
    this.#size += piece.length
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#size)
  }
}
