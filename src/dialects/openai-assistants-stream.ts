// The events of a run of OpenAI's Assistants. Messages and steps come in pieces, by their id and the place in them, and
// again as a whole when they are done. Each event of the run repeats its instructions.
import { isObject } from '../utils/json.js'
import type { StreamDelta, StreamEvent, StreamReader } from './dialect.js'
import { JoinedParts } from './kit/part-channels.js'
import { PartTexts } from './kit/part-texts.js'
import { blockNote, sse, streamFailure } from './kit/refusals.js'
import { type ReplyFields, server, words } from './kit/reply-fields.js'
import { EventText, SentEvents, shortText } from './kit/stream-events.js'

const CALL: ReplyFields = {
  ...server('id index type'),
  function: words('name arguments output'),
  code_interpreter: {
    ...words('input'),
    outputs: { ...server('type index'), ...words('logs'), image: server('file_id') },
  },
  file_search: { ...server('ranking_options'), results: { ...server('file_id score'), ...words('file_name content') } },
}
const DELTA: ReplyFields = {
  ...server('role'),
  content: {
    ...server('type index image_file'),
    ...words('refusal'),
    text: {
      ...words('value'),
      annotations: {
        ...server('type index start_index end_index'),
        ...words('text'),
        file_citation: { ...server('file_id'), ...words('quote') },
        file_path: server('file_id'),
      },
    },
    image_url: { ...server('detail'), ...words('url') },
  },
  step_details: { ...server('type message_creation'), tool_calls: CALL },
}
/** A thread, a message, a run or a step. */
const THING: ReplyFields = {
  ...DELTA,
  ...server('id object created_at started_at completed_at cancelled_at failed_at incomplete_at expires_at expired_at'),
  ...server('thread_id run_id assistant_id message_id step_id status type model usage tool_choice truncation_strategy'),
  ...server('temperature top_p max_prompt_tokens max_completion_tokens parallel_tool_calls response_format'),
  ...server('incomplete_details tool_resources attachments'),
  ...words('instructions metadata'),
  tools: { ...server('type'), function: { ...words('name description'), parameters: 'json' } },
  required_action: { ...server('type'), submit_tool_outputs: { tool_calls: CALL } },
  last_error: { ...server('code'), ...words('message') },
  error: { ...server('code type param'), ...words('message') },
  delta: DELTA,
}
export const ASSISTANTS_REPLY: ReplyFields = { ...THING, ...server('first_id last_id has_more'), data: THING }

export const OBJECT = /^thread(?:\.(?:message|run|run\.step)(?:\.delta)?)?$/
const PIECE = /^thread\.(?:message|run\.step)\.delta$/
const MESSAGE = /^thread\.message\.(\w+)$/
const RUN = /^thread\.run\.(\w+)$/
const OVER = /^(?:requires_action|completed|incomplete|failed|cancelled|expired)$/
/** The words of the model in a run. Its other words are those of the app. */
const SAID_BY_RUN = /^(?:required_action|last_error|incomplete_details)\b/

/** The value of a part in the place where other APIs have its text. */
export function partPath(path: string): string {
  return path.replace(/\.text\.value$/, '.text')
}

interface Fact {
  readonly name: string
  readonly id: string | undefined
  readonly head: Record<string, unknown>
}

export function assistantsStream(): StreamReader {
  const events = new EventText(ASSISTANTS_REPLY)
  const facts = new SentEvents(factOf)
  const joined = new JoinedParts()
  const told = new Map<string, string>()
  const wire = { message: undefined as string | undefined, over: false, head: {} as Record<string, unknown> }

  const readPiece = (id: string, data: object, deltas: StreamDelta[]): void =>
    events.walker.walk(data, (path, text, metadata) => {
      const channel = `${id} ${path.replace(/^delta\./, '')}`
      if (metadata) return events.beside(deltas, channel, text, true)
      deltas.push({ choice: 0, channel, text })
      told.set(channel, (told.get(channel) ?? '') + text)
      if (path.endsWith('.text.value')) joined.add(deltas, 0, channel, text)
    })

  const readWhole = (id: string, data: object, deltas: StreamDelta[], isRun: boolean): void => {
    const parts = new PartTexts()
    events.walker.walk(data, (path, text, metadata) => {
      const channel = `${isRun ? 'run' : id} ${path}`
      parts.add(partPath(path), text)
      if (told.get(channel) === text) return
      events.beside(deltas, `${channel} whole`, text, metadata || (isRun && !SAID_BY_RUN.test(path)))
    })
    for (const [list, text] of parts.joined()) events.beside(deltas, `${id} ${list}parts`, text)
  }

  return {
    read(event) {
      const deltas: StreamDelta[] = []
      const data = events.open(event, deltas)
      const { event: name = '' } = event
      if (isObject(data)) {
        const id = shortText(data.id) ?? ''
        if (PIECE.test(name)) readPiece(id, data, deltas)
        else readWhole(id, data, deltas, RUN.test(name) || name === 'thread.created')
      } else if (data !== undefined) events.readBeside(deltas, data)
      facts.note(event, data)
      return deltas
    },
    sent(event) {
      const { name, id, head } = facts.take(event)
      const [, state = ''] = MESSAGE.exec(name) ?? []
      if (state !== '') wire.message = state === 'completed' || state === 'incomplete' ? undefined : id
      if (RUN.test(name)) wire.head = { ...wire.head, ...head }
      wire.over = OVER.test(RUN.exec(name)?.[1] ?? '') || (wire.over && !RUN.test(name))
    },
    block(decision, words) {
      if (wire.over) return ''
      const stopped = { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }
      const last: [string, object][] = []
      const { message } = wire
      if (message !== undefined) last.push(['thread.message.incomplete', { ...messageOf(message), ...stopped }])
      if (words !== undefined) last.push(...declining(words))
      const run = { id: 'run_llama_guard', object: 'thread.run', ...wire.head, ...stopped }
      last.push(['thread.run.incomplete', { ...run, llama_guard: blockNote(decision) }])
      return `${last.map(([name, data]) => sse(data, name)).join('')}event: done\ndata: [DONE]\n\n`
    },
    fail: (error) => (wire.over ? '' : sse({ error: streamFailure(error) }, 'error')),
  }
}

function messageOf(id: string): Record<string, unknown> {
  return { id, object: 'thread.message', role: 'assistant', content: [] }
}

/** A message of its own, with these words. */
function declining(value: string): [string, object][] {
  const message = messageOf('msg_llama_guard')
  const part = { type: 'text', text: { value, annotations: [] } }
  return [
    ['thread.message.created', { ...message, status: 'in_progress' }],
    [
      'thread.message.delta',
      { id: message['id'], object: 'thread.message.delta', delta: { content: [{ index: 0, ...part }] } },
    ],
    ['thread.message.completed', { ...message, status: 'completed', content: [part] }],
  ]
}

function factOf(data: unknown, { event: name = '' }: StreamEvent): Fact {
  if (!isObject(data)) return { name, id: undefined, head: {} }
  const head: Record<string, unknown> = {}
  for (const key of ['id', 'thread_id', 'assistant_id', 'model']) {
    const value = shortText(data[key])
    if (value !== undefined) head[key] = value
  }
  return { name, id: shortText(data.id), head }
}
