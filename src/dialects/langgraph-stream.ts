// The events of a LangGraph run. `messages` come in pieces, by the id of the message; `values`, `updates` and whole
// messages say all again that has been said before.
import { isObject } from '../utils/json.js'
import type { StreamDelta, StreamReader } from './dialect.js'
import { JoinedParts } from './kit/part-channels.js'
import { PartTexts } from './kit/part-texts.js'
import { blockMessage, blockNote, sse, streamFailure } from './kit/refusals.js'
import { type ReplyFields, server, words } from './kit/reply-fields.js'
import { EventText, SentEvents } from './kit/stream-events.js'

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
export const LANGGRAPH_REPLY: ReplyFields = { ...STATE, values: STATE, '*': STATE }

/** Events that repeat, at each turn, what they have said before. `|` and a namespace follow the name in a subgraph. */
const SNAPSHOT = /^(?:values|updates|messages\/(?:partial|complete))(?:\||$)/
const PIECES = /^messages(?:\||$)/
const LAST = /^(?:end|error)$/
/** Of shorter texts, those that come again may be parts of a word. */
const REPEATED_LENGTH = 24
const COPIES_KEPT = 2
const MAX_REMEMBERED = 4096

export function langGraphStream(): StreamReader {
  const events = new EventText(LANGGRAPH_REPLY)
  const facts = new SentEvents((_data, { event = '' }) => LAST.test(event))
  const snapshots = new Snapshots()
  const joined = new JoinedParts()
  let over = false

  const readPieces = (name: string, data: readonly unknown[], deltas: StreamDelta[]): void => {
    const [message, ...others] = data
    const id = isObject(message) && typeof message.id === 'string' ? message.id : ''
    events.walker.walk(message, (path, text, metadata) => {
      const channel = `${name} ${id} ${path}`
      if (metadata) return events.beside(deltas, channel, text, true)
      deltas.push({ choice: 0, channel, text })
      if (/^content(?:\.\d+\.text)?$/.test(path)) joined.add(deltas, 0, channel, text)
    })
    // Where in the graph the message came from, said again with each piece.
    events.walker.walk({ metadata: others }, (path, text) => events.beside(deltas, `${name} ${path}`, text, true))
  }

  const readOther = (name: string, data: unknown, deltas: StreamDelta[]): void => {
    const parts = new PartTexts()
    const repeats = SNAPSHOT.test(name)
    const add = (path: string, text: string, metadata = false): void => {
      if (repeats && !metadata) snapshots.add(deltas, `${name} ${path}`, text)
      else events.beside(deltas, `${name} ${path}`, text, metadata)
    }
    events.walker.walk(data, (path, text, metadata) => {
      add(path, text, metadata)
      parts.add(path, text)
    })
    for (const [list, text] of parts.joined()) add(`${list}parts`, text)
  }

  return {
    read(event) {
      const deltas: StreamDelta[] = []
      const data = events.open(event, deltas)
      const name = event.event ?? ''
      if (data !== undefined) {
        if (PIECES.test(name)) readPieces(name, piecesOf(data), deltas)
        else if (name === '') events.readBeside(deltas, data)
        else readOther(name, data, deltas)
      }
      facts.note(event, data)
      return deltas
    },
    sent(event) {
      over ||= facts.take(event)
    },
    block(decision, words) {
      if (over) return ''
      const message = words ?? blockMessage(decision)
      return sse({ error: 'content_filter', message, llama_guard: blockNote(decision) }, 'error')
    },
    fail(error) {
      if (over) return ''
      const { message, ...rest } = streamFailure(error)
      return sse({ error: error.code, message, details: rest }, 'error')
    },
  }
}

/** A message and its place in the graph, which some clients take for events of their own. */
function piecesOf(data: Record<string, unknown> | unknown[]): readonly unknown[] {
  if (Array.isArray(data)) return data
  return 'content' in data ? [data] : [undefined, data]
}

/** Texts that grow in place: only what is new in them is judged, in one text with what was there. */
class Snapshots {
  readonly #last = new Map<string, { text: string; times: number }>()

  add(deltas: StreamDelta[], channel: string, text: string): void {
    const known = this.#last.get(channel)
    if (known === undefined) {
      if (this.#last.size < MAX_REMEMBERED) this.#last.set(channel, { text, times: 1 })
      return void deltas.push({ choice: 0, channel, text })
    }
    const before = known.text
    known.times = before === text ? known.times + 1 : 1
    known.text = text
    const grows = text.startsWith(before)
    if (!grows || text !== before) deltas.push({ choice: 0, channel, text: grows ? text.slice(before.length) : text })
    if (grows && text.length < REPEATED_LENGTH && known.times <= COPIES_KEPT)
      deltas.push({ choice: 0, channel: `${channel} again`, text })
  }
}
