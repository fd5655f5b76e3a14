// Reads a body that is no known chat, for the option `unknown: 'judge'`. All of its words count as a user's, and all
// words of the reply as the model's.
import type { Declined, Dialect, ReplyChoice, StreamDelta, StreamReader } from './dialect.js'
import { blockNote, openaiRefusal, sse, streamFailure } from './kit/refusals.js'
import type { ReplyFields } from './kit/reply-fields.js'
import { RequestBuilder, wantsStream } from './kit/request-builder.js'
import { RequestWalker } from './kit/request-walker.js'
import { EventText, isDone, SentEvents } from './kit/stream-events.js'
import { oneChoice } from './kit/whole-reply.js'
import type { Image } from '../types.js'

/** Names of fields that say nothing of what stands in them, at any depth. */
export const OWN_REPLY = ownReply()

function ownReply(): ReplyFields {
  const fields: Record<string, ReplyFields> = {}
  for (const name of 'text content message reply answer output response result data error token delta *'.split(' '))
    fields[name] = fields
  return fields
}

/** The key for a body that is no object: a list, a text, a number. */
export const WHOLE_BODY = 'content'

export const generic: Dialect = {
  name: 'generic',
  paths: [],
  framing: 'sse',
  claims: () => false,
  request(body) {
    const walker = new RequestWalker(body)
    const builder = new RequestBuilder()
    const texts: string[] = []
    const images: Image[] = []
    const sink = { text: (text: string) => void texts.push(text), picture: (image: Image) => void images.push(image) }
    for (const [key, value] of Object.entries(body)) walker.read(value, sink, { key })
    const stream = wantsStream(body.stream)
    // A body without words is not judged. Its reply is.
    if (texts.length === 0 && images.length === 0) return { system: '', turns: [], userTurns: [], extras: [], stream }
    builder.say({ role: 'User', text: texts.join('\n'), images, human: true })
    return builder.build(stream, undefined)
  },
  reply: readReply,
  stream: genericStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'body', output: 'body' }),
  decline: ({ words, decision }: Declined) => ({ text: words, llama_guard: blockNote(decision) }),
}

function readReply(body: unknown): readonly ReplyChoice[] | undefined {
  return oneChoice(body, OWN_REPLY, { named: true }, () => '')
}

/** Words at the same place in events of the same shape form one growing text. */
function genericStream(): StreamReader {
  const events = new EventText(OWN_REPLY, { named: true })
  const facts = new SentEvents((_data, event) => isDone(event))
  let done = false
  return {
    read(event) {
      const deltas: StreamDelta[] = []
      const data = events.open(event, deltas)
      if (data !== undefined)
        events.walker.walk(data, (path, text, metadata) => {
          if (metadata) events.beside(deltas, path, text, true)
          else events.own(deltas, path, text)
        })
      facts.note(event, data)
      return deltas
    },
    sent(event) {
      done ||= facts.take(event)
    },
    block(decision, words) {
      if (done) return ''
      const note = { finish_reason: 'content_filter', llama_guard: blockNote(decision) }
      return `${sse(words === undefined ? note : { text: words, ...note })}data: [DONE]\n\n`
    },
    fail: (error) => (done ? '' : sse({ error: streamFailure(error) })),
  }
}
