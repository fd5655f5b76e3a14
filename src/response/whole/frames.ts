// Reads a whole reply that is framed: events, JSON lines, the elements of an array, or bare text that looks like them.
import type { Dialect, Media, ReplyChoice } from '../../dialects/dialect.js'
import { replyReader } from '../../dialects/index.js'
import { type FoundCall, ToolCalls } from '../../dialects/tool-calls.js'
import type { Frame } from '../../wire/frame.js'
import { Framer, type Label } from '../../wire/framer.js'
import { parseLoosely } from '../../wire/json.js'
import { labelOf } from '../head.js'
import { Transcript } from '../stream/held.js'

/** The calls of tools that the reply asks for. */
export function callsIn(text: string, type: string): readonly FoundCall[] {
  const found: FoundCall[] = []
  const calls = new ToolCalls((call) => found.push(call))
  const value = parseLoosely(text)?.value
  if (value !== undefined) calls.value(value)
  else for (const { events } of framesOf(text, labelOf(type) ?? 'text')) for (const event of events) calls.read(event)
  calls.end()
  return found
}

/** True for a text of which at least a line is an event or JSON. */
export function looksLikeStream(text: string): boolean {
  return framesOf(text, 'text').some(({ events }) =>
    events.some(({ data, plain }) => data !== undefined && plain !== true),
  )
}

/** @throws LlamaGuardError `unreadable_response` for bytes that are in no known frame. */
function framesOf(text: string, label: Label): readonly Frame[] {
  const framer = new Framer(label)
  const frames = [...framer.push(Buffer.from(text)), ...framer.finish()]
  if (framer.failure !== undefined) throw framer.failure
  return frames
}

/** `bare`: the label says text, so that the model may have written the events. */
export function readFrames(
  text: string,
  label: Label,
  dialect: Dialect,
  how: { readonly bare?: boolean; readonly media: Media | undefined },
): readonly ReplyChoice[] {
  const choices = new Map<number, Transcript>()
  const reader = replyReader(dialect, how)
  for (const { events } of framesOf(text, label))
    for (const event of events)
      for (const { choice, channel, text: added } of reader.read(event)) {
        let transcript = choices.get(choice)
        if (transcript === undefined) choices.set(choice, (transcript = new Transcript()))
        transcript.add(channel, added)
      }
  return [...choices].map(([index, transcript]) => ({ index, text: transcript.text() }))
}
