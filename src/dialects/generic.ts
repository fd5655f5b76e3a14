// Reads a body that is no known chat, for the option `unknown: 'judge'`. All of its words count as a user's, and all
// words of the reply as the model's.
import type { Image } from '../types.js'
import type { Declined, Dialect, Media, ReplyChoice, StreamReader } from './dialect.js'
import { eventReader, isDone, NOT_OVER } from './kit/event-reader.js'
import { refuseTokens } from './kit/read-request.js'
import { blockNote, openaiRefusal, sse, streamFailure } from './kit/refusals.js'
import { oneChoice, type ReplyFields } from './kit/reply-fields.js'
import { RequestBuilder, stringsOf } from './kit/request-texts.js'

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
  claims: () => false,
  request(body) {
    const builder = new RequestBuilder()
    const texts: string[] = []
    const images: Image[] = []
    refuseTokens(body)
    stringsOf(body, { text: (text) => void texts.push(text), picture: (image) => void images.push(image) }, builder.ids)
    builder.say({ role: 'User', text: texts.join('\n'), images, human: true })
    return builder.build(body.stream === true)
  },
  reply: readReply,
  stream: genericStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'body', output: 'body' }),
  decline: ({ words, decision }: Declined) => ({ text: words, llama_guard: blockNote(decision) }),
}

function readReply(body: unknown, media?: Media): readonly ReplyChoice[] | undefined {
  return oneChoice(body, OWN_REPLY, { named: true, media })
}

/** Words at the same place in events of the same shape form one growing text. */
function genericStream(_calls?: unknown, media?: Media): StreamReader {
  return eventReader({
    fields: OWN_REPLY,
    options: { named: true, media },
    start: NOT_OVER,
    after: ({ over }, _data, event) => ({ over: over || isDone(event) }),
    read: (texts, data) => texts.walk(data, { add: (channel, text) => texts.own(channel, text) }),
    readList: (texts, list) => texts.walk(list, { add: (channel, text) => texts.own(channel, text) }),
    block(_state, decision, words) {
      const note = { finish_reason: 'content_filter', llama_guard: blockNote(decision) }
      return `${sse(words === undefined ? note : { text: words, ...note })}data: [DONE]\n\n`
    },
    fail: (_state, error) => sse({ error: streamFailure(error) }),
  })
}
