// Reads a stream that was held as a whole, in every reading, and collects its text by choice and channel.
import type { Dialect, ReplyChoice, StreamEvent } from '../../dialects/dialect.js'
import { jsonArrayFramer } from '../stream/json-array-framer.js'
import { ndjsonFramer, sseFramer } from '../stream/event-framer.js'
import type { Framer } from '../stream/framing.js'
import { Readings } from '../stream/readings.js'
import { Transcript } from '../stream/transcript.js'
import { parseLoosely } from '../../utils/loose-json.js'

export function readEvents(text: string, type: string, dialect: Dialect): readonly ReplyChoice[] {
  return readFrames(text, type === 'text/event-stream' ? sseFramer() : ndjsonFramer(), dialect)
}

/** Reads an array like a client that takes each element for an event. */
export function readElements(text: string, dialect: Dialect): readonly ReplyChoice[] {
  return readFrames(text, jsonArrayFramer(), dialect)
}

/** `whole`: only events or JSON lines. `partly`: some lines are, the rest is text. `false`: only text. */
export function looksLikeStream(text: string): 'whole' | 'partly' | false {
  const framer = ndjsonFramer()
  let found = false
  let other = false
  for (const { event, kind, lines } of [...framer.push(Buffer.from(text)), ...framer.finish()]) {
    if (lines?.some((line) => line.kind !== 'value' && line.event !== event) === true) found = true
    else if (event.data !== undefined) {
      const isRead = kind === 'field' || isValue(event)
      found ||= isRead || lines !== undefined
      other ||= !isRead
    }
    if (event.other !== undefined) other = true
  }
  return !found ? false : other ? 'partly' : 'whole'
}

/** True for a line of JSON. A bare number or word is text. */
function isValue({ data, part }: StreamEvent): boolean {
  const parsed = parseLoosely(data!)
  if (parsed === undefined) return false
  const { value } = parsed
  return part !== undefined || typeof value === 'string' || (typeof value === 'object' && value !== null)
}

function readFrames(text: string, framer: Framer, dialect: Dialect): readonly ReplyChoice[] {
  const choices = new Map<number, Transcript>()
  const readings = new Readings(dialect, (prefix) => choices.forEach((transcript) => transcript.fork(prefix)))
  for (const frame of [...framer.push(Buffer.from(text)), ...framer.finish()]) {
    for (const { choice, channel, text: added, from } of readings.read(frame)) {
      let transcript = choices.get(choice)
      if (transcript === undefined) choices.set(choice, (transcript = new Transcript()))
      transcript.add(channel, added, from)
    }
    // The event has not been sent. The call only lets the reader forget it, and nothing is written to the client in
    // the middle of this stream.
    readings.main.sent(frame.event)
  }
  return [...choices].map(([index, transcript]) => ({ index, text: transcript.text() }))
}
