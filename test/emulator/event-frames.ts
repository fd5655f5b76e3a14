// Frames of AWS's event stream encoding (application/vnd.amazon.eventstream), written out by hand from its
// specification:
// an encoder that shares no code with the SDK's decoder, so that the two cannot agree on a mistake.
import { crc32 } from 'node:zlib'

/** One PayloadPart: any bytes, cut anywhere. */
export function payloadPart(bytes: Uint8Array): Buffer {
  return frame(
    { ':message-type': 'event', ':event-type': 'PayloadPart', ':content-type': 'application/octet-stream' },
    bytes,
  )
}

/** An exception in the middle of a stream: `ModelStreamError` or `InternalStreamFailure`. */
export function streamException(name: string, fields: object): Buffer {
  return frame(
    { ':message-type': 'exception', ':exception-type': name, ':content-type': 'application/json' },
    Buffer.from(JSON.stringify(fields)),
  )
}

const STRING = 7

function frame(headers: Record<string, string>, payload: Uint8Array): Buffer {
  const head = Buffer.concat(
    Object.entries(headers).map(([name, value]) => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(Buffer.byteLength(value))
      return Buffer.concat([
        Buffer.from([Buffer.byteLength(name)]),
        Buffer.from(name),
        Buffer.from([STRING]),
        length,
        Buffer.from(value),
      ])
    }),
  )
  const message = Buffer.alloc(12 + head.length + payload.length + 4)
  message.writeUInt32BE(message.length, 0)
  message.writeUInt32BE(head.length, 4)
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8)
  head.copy(message, 12)
  message.set(payload, 12 + head.length)
  message.writeUInt32BE(crc32(message.subarray(0, message.length - 4)), message.length - 4)
  return message
}
