// The arguments of write() and end(), in every order Node takes them, as one chunk of bytes and one callback.

export type Callback = (error?: Error | null) => void

/** What a write to a destroyed response does in Node: false, and an error for the callback. */
export function dropped(callback: Callback | undefined): boolean {
  if (callback) process.nextTick(callback, Object.assign(new Error('Cannot call write after a stream was destroyed'), { code: 'ERR_STREAM_DESTROYED' }))
  return false
}

/** `write(chunk, encoding?, cb?)` and `end(chunk?, encoding?, cb?)`, where any argument after the chunk may be the callback. */
export function readArguments(args: readonly unknown[]): { chunk: Buffer | undefined; callback: Callback | undefined } {
  const callback = args.find((argument): argument is Callback => typeof argument === 'function')
  const [chunk, encoding] = args
  if (chunk === undefined || chunk === null || typeof chunk === 'function') return { chunk: undefined, callback }
  if (typeof chunk === 'string') return { chunk: Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'), callback }
  if (chunk instanceof Uint8Array) {
    // Copied: the handler may reuse its buffer, and then other bytes would leave than the ones that were judged.
    return { chunk: Buffer.from(chunk), callback }
  }
  throw Object.assign(new TypeError('The "chunk" argument must be of type string or an instance of Buffer or Uint8Array'), { code: 'ERR_INVALID_ARG_TYPE' })
}
