// The arguments of write() and end(), in every order Node takes them, as one chunk of bytes and one callback.

export type Callback = (error?: Error | null) => void

/** What a write to a destroyed response does in Node: false, and an error for the callback. */
export function dropped(callback: Callback | undefined): boolean {
  if (callback)
    process.nextTick(
      callback,
      Object.assign(new Error('Cannot call write after a stream was destroyed'), { code: 'ERR_STREAM_DESTROYED' }),
    )
  return false
}

/** The callback of `write(chunk, encoding?, cb?)` or `end(chunk?, encoding?, cb?)`, which any argument may be. */
export function callbackOf(args: readonly unknown[]): Callback | undefined {
  for (const argument of args) if (typeof argument === 'function') return argument as Callback
  return undefined
}

/** Their chunk, as bytes. Undefined when there is none; throws what Node throws for what is no chunk. */
export function chunkOf([chunk, encoding]: readonly unknown[]): Buffer | undefined {
  if (typeof chunk === 'string')
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
  // Copied: the handler may reuse its buffer, and then other bytes would leave than the ones that were judged.
  if (chunk instanceof Uint8Array) return Buffer.from(chunk)
  if (chunk === undefined || chunk === null || typeof chunk === 'function') return undefined
  throw Object.assign(
    new TypeError('The "chunk" argument must be of type string or an instance of Buffer or Uint8Array'),
    { code: 'ERR_INVALID_ARG_TYPE' },
  )
}
