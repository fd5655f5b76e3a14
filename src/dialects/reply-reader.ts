// Reads a stream in the API it is written in, which need not be the one that was asked: chat routes of apps take
// OpenAI's messages and answer with the stream of their page's client.
import { aiSdk } from './ai-sdk.js'
import type { Dialect, Framing, StreamEvent, StreamReader } from './dialect.js'
import { BUILT_IN } from './index.js'

/** The reader of the first event's own API, else that of the API that was asked. A dialect of the user's is kept. */
export function replyReader(asked: Dialect): StreamReader {
  if (!BUILT_IN.includes(asked)) return asked.stream()
  let reader = asked.stream()
  let chosen = false
  return {
    read(event) {
      if (!chosen && event.data !== undefined) {
        chosen = true
        const dialect = dialectOf(asked, event)
        if (dialect !== asked) reader = dialect.stream()
      }
      return reader.read(event)
    },
    sent: (event) => reader.sent(event),
    block: (decision, words) => reader.block(decision, words),
    fail: (error) => reader.fail(error),
  }
}

function dialectOf(asked: Dialect, { data: text = '', part, plain }: StreamEvent): Dialect {
  // Only the AI SDK's data stream has lines that begin with a code.
  if (part !== undefined) return aiSdk
  if (plain === true) return asked
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch {
    return asked
  }
  if (asked.answers?.(data) === true) return asked
  return BUILT_IN.find((dialect) => dialect.answers?.(data) === true) ?? asked
}

/** How a stream with these headers is framed, when its label does not say. */
export function framingOf(asked: Dialect, hasHeader: (name: string) => boolean): Framing {
  return (BUILT_IN.find(({ marks }) => marks?.some(hasHeader)) ?? asked).framing
}
