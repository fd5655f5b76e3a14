// LangGraph Server: runs of a graph, streamed, waited for or started, with the state of the graph in and out. In its
// events `messages` come in pieces, by the id of the message; `values`, `updates` and whole messages say all again that
// has been said before.
// https://docs.langchain.com/langgraph-platform/streaming
import { isObject } from '../utils/json.js'
import type { Dialect, Media, StreamDelta, StreamReader } from './dialect.js'
import { eventReader, type EventTexts, NOT_OVER } from './kit/event-reader.js'
import { claiming, readRequest } from './kit/read-request.js'
import { blockMessage, blockNote, openaiRefusal, sse, streamFailure } from './kit/refusals.js'
import { type ReplyFields, server, words, reading } from './kit/reply-fields.js'

const CALL: ReplyFields = { ...server('id index type'), ...words('name error'), args: 'json' }
const MESSAGE: ReplyFields = {
  ...server('id type role tool_call_id status usage_metadata response_metadata example chunk_position'),
  ...words('name additional_kwargs artifact'),
  content: { ...server('type id index'), ...words('text thinking name'), input: 'json', signature: 'sealed' },
  tool_calls: CALL,
  tool_call_chunks: CALL,
  invalid_tool_calls: CALL,
}
/** The metadata of a run, a piece or a checkpoint are settings of the server. */
const STATE: ReplyFields = {
  ...MESSAGE,
  ...server('run_id thread_id assistant_id graph_id checkpoint_id checkpoint_ns parent_checkpoint checkpoint metadata'),
  ...server('attempt created_at updated_at multitask_strategy configurable'),
  ...words('values error message'),
  messages: MESSAGE,
}
const LANGGRAPH_REPLY: ReplyFields = { ...STATE, values: STATE, '*': STATE }

/** What a command changes is a state too. */
const FIELDS = { input: 'state', command: 'holder', update: 'state', resume: 'state' } as const

export const langGraph: Dialect = {
  name: 'langgraph',
  paths: ['/runs/stream', '/runs/wait'],
  // A run in the background is joined, and its state read.
  bodiless: /\/threads\/[0-9a-f-]{36}\/(?:runs\/[0-9a-f-]{36}\/)?(?:state(?:\/[^/]+)?|history|join|stream)$/,
  distinct: true,
  claims: claiming({ assistant_id: 'text', input: 'given' }, { assistant_id: 'text', command: 'object' }),
  answers: (event) =>
    isObject(event) && typeof event.run_id === 'string' && ('attempt' in event || typeof event.thread_id === 'string'),
  request: (body) => readRequest({ fields: FIELDS, streams: () => true }, body),
  // The state at the end of a run, or a run that has been started.
  reply: reading(LANGGRAPH_REPLY, 'object'),
  stream: langGraphStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'input', output: 'messages' }),
}

/** Events that repeat, at each turn, what they have said before. `|` and a namespace follow the name in a subgraph. */
const SNAPSHOT = /^(?:values|updates|messages\/(?:partial|complete))(?:\||$)/
const PIECES = /^messages(?:\||$)/
const LAST = /^(?:end|error)$/
const MAX_REMEMBERED = 4096

function langGraphStream(_calls?: unknown, media?: Media): StreamReader {
  const snapshots = new Snapshots()

  /** A message and its place in the graph, which is said again with each piece. */
  const readPieces = (texts: EventTexts, name: string, [message, ...places]: readonly unknown[]): void => {
    const id = isObject(message) && typeof message.id === 'string' ? message.id : ''
    texts.walk(message, { under: `${name} ${id} `, grows: true })
    texts.walk({ metadata: places }, { under: `${name} `, aside: true })
  }
  const readOther = (texts: EventTexts, name: string, data: unknown): void => {
    const repeats = (channel: string, text: string): void => snapshots.add(texts.deltas, channel, text)
    texts.walk(data, { under: `${name} `, add: SNAPSHOT.test(name) ? repeats : undefined })
  }
  return eventReader({
    fields: LANGGRAPH_REPLY,
    options: { media },
    start: NOT_OVER,
    after: ({ over }, _data, { event = '' }) => ({ over: over || LAST.test(event) }),
    read(texts, data, { event: name = '' }) {
      if (name === '') texts.walk(data)
      // Some clients take the message and its place for events of their own.
      else if (PIECES.test(name)) readPieces(texts, name, 'content' in data ? [data] : [undefined, data])
      else readOther(texts, name, data)
    },
    readList(texts, list, { event: name = '' }) {
      if (name === '') texts.walk(list)
      else if (PIECES.test(name)) readPieces(texts, name, list)
      else readOther(texts, name, list)
    },
    block(_state, decision, words) {
      const message = words ?? blockMessage(decision)
      return sse({ error: 'content_filter', message, llama_guard: blockNote(decision) }, 'error')
    },
    fail(_state, error) {
      const { message, ...rest } = streamFailure(error)
      return sse({ error: error.code, message, details: rest }, 'error')
    },
  })
}

/** Texts that grow in place: only what is new in them is judged, in one text with what was there. */
class Snapshots {
  readonly #last = new Map<string, string>()

  add(deltas: StreamDelta[], channel: string, text: string): void {
    const before = this.#last.get(channel)
    if (before === text) return
    if (before !== undefined || this.#last.size < MAX_REMEMBERED) this.#last.set(channel, text)
    const grows = before !== undefined && text.startsWith(before)
    deltas.push({ choice: 0, channel, text: grows ? text.slice(before.length) : text })
  }
}
