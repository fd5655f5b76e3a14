// The LLM stub: the same reply to everyone, whole or as a stream, as fast as it can or at a given pace.
import type { Socket } from 'node:net'
import { replyBody, replyEvents, type Form } from '../kit/chat.js'
import { leanServer, response } from '../kit/lean-http.js'
import { report } from '../kit/report.js'

const counts = { calls: 0, bytes: 0, events: 0 }
const headOf = (type: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\n\r\n`
const END = '0\r\n\r\n'
let whole = response(replyBody(1000))
let frames: readonly Buffer[] = []
let head = headOf('text/event-stream')
let paceMs = 0
let stream = false
/** The stream goes silent behind its events, and does not end. */
let open = false

function flow(socket: Socket): void {
  socket.write(head)
  if (paceMs === 0) {
    // Each event a write of its own, as models send them; corked, so that the stage stays cheap.
    socket.cork()
    for (const frame of frames) socket.write(frame)
    if (!open) socket.write(END)
    socket.uncork()
    return
  }
  let next = 0
  const timer = setInterval(() => {
    if (socket.destroyed) return clearInterval(timer)
    const frame = frames[next++]
    if (frame !== undefined) {
      counts.events++
      return void socket.write(frame)
    }
    clearInterval(timer)
    if (!open) socket.write(END)
  }, paceMs)
}

const port = await leanServer((socket, { bytes }) => {
  counts.calls++
  counts.bytes += bytes
  if (stream) flow(socket)
  else socket.write(whole)
})
report(port, counts, (settings) => {
  const bytes = Number(settings['bytes'] ?? 1000)
  const form = (settings['form'] ?? 'chat') as Form
  stream = settings['stream'] === true
  open = settings['open'] === true
  head = headOf(form === 'text' ? 'text/plain' : 'text/event-stream')
  paceMs = Number(settings['paceMs'] ?? 0)
  whole = response(replyBody(bytes))
  frames = replyEvents(bytes, form).map((event) =>
    Buffer.from(`${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`),
  )
})
