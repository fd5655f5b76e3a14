// OpenAI's Assistants: threads, their messages, and runs that are streamed or polled. Azure has a path of its own for
// them. The words of a polled run leave in a GET, so requests without a body belong to it too.
import { isObject } from '../utils/json.js'
import type { Dialect, Media, StreamReader } from './dialect.js'
import { SaidTexts } from './kit/channels.js'
import { eventReader, shortText } from './kit/event-reader.js'
import { readRequest, type RequestFacts } from './kit/read-request.js'
import { blockNote, openaiRefusal, sse, streamFailure } from './kit/refusals.js'
import { reading, type ReplyFields, server, words } from './kit/reply-fields.js'

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
const ASSISTANTS_REPLY: ReplyFields = { ...THING, ...server('first_id last_id has_more'), data: THING }

/** The kinds of things. */
const OBJECT = /^thread(?:\.(?:message|run|run\.step)(?:\.delta)?)?$/

const PATHS = ['/v1/threads', '/v1/threads/*', '/openai/threads', '/openai/threads/*']
const FACTS: RequestFacts = {
  fields: { messages: 'messages', thread: 'holder', additional_messages: 'messages', tool_outputs: 'tool' },
}
/** A request has one of these. */
const FIELDS = ['role', ...Object.keys(FACTS.fields), 'assistant_id', 'tool_resources']
const hasOnlyMetadata = (body: object): boolean => Object.keys(body).join() === 'metadata'

export const openaiAssistants: Dialect = {
  name: 'openai-assistants',
  paths: PATHS,
  framing: 'sse',
  bodiless: /\/(?:v1|openai)\/threads\/thread_[^/]+(?:\/.*)?$/,
  // A run of LangGraph Server has an input or a command.
  claims: (body) =>
    !('input' in body || 'command' in body) && (FIELDS.some((key) => key in body) || hasOnlyMetadata(body)),
  answers: (data) => isObject(data) && typeof data.object === 'string' && OBJECT.test(data.object),
  request: (body) => readRequest(FACTS, 'role' in body && !('messages' in body) ? asList(body) : body),
  // A thread, a message, a run, a step, or a list of them.
  reply: reading(ASSISTANTS_REPLY, { object: 'text' }),
  stream: assistantsStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'messages', output: 'content' }),
  // What a client polls is no reply of the model. Streams decline.
  decline: () => undefined,
}

/** A message alone, beside its settings. */
function asList({ role, content, attachments, ...rest }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { ...rest, messages: [{ role, content, attachments }] }
}

const PIECE = /^thread\.(?:message|run\.step)\.delta$/
const MESSAGE = /^thread\.message\.(\w+)$/
const RUN = /^thread\.run\.(\w+)$/
const OVER = /^(?:requires_action|completed|incomplete|failed|cancelled|expired)$/
/** Beside the words of the model, an event of the run repeats those of the app: instructions, tools, settings. */
const SAID_BY_APP = /^(?!(?:required_action|last_error|incomplete_details)\b)/

/**
 * The events of a run. Messages and steps come in pieces, by their id and the place in them, and again as a whole when
 * they are done.
 */
function assistantsStream(_calls?: unknown, media?: Media): StreamReader {
  const said = new SaidTexts()
  const wire = { message: undefined as string | undefined, over: false, head: {} as Record<string, unknown> }
  return eventReader({
    fields: ASSISTANTS_REPLY,
    options: { media },
    over: () => wire.over,
    read(texts, data, { event: name = '' }) {
      const id = shortText(data.id) ?? ''
      if (RUN.test(name) || name === 'thread.created')
        return texts.walk(data, { under: 'run ', said, lists: true, aside: SAID_BY_APP })
      if (!PIECE.test(name)) return texts.walk(data, { under: `${id} whole `, said, lists: true })
      const channel = (path: string): string => `${id} ${path.replace(/^delta\./, '')}`
      texts.walk(data, { channel, grows: true, said, shown: /\.text\.value$/ })
    },
    leaves(data, { event: name = '' }) {
      const id = shortText(data.id)
      const [, state] = MESSAGE.exec(name) ?? []
      const [, step] = RUN.exec(name) ?? []
      const head = step === undefined ? {} : headOf(data)
      return () => {
        if (state !== undefined) wire.message = state === 'completed' || state === 'incomplete' ? undefined : id
        if (step === undefined) return
        wire.head = { ...wire.head, ...head }
        wire.over = OVER.test(step)
      }
    },
    block(decision, words) {
      const stopped = { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }
      const last: [string, object][] = []
      const { message } = wire
      if (message !== undefined) last.push(['thread.message.incomplete', { ...messageOf(message), ...stopped }])
      if (words !== undefined) last.push(...declining(words))
      const run = { id: 'run_llama_guard', object: 'thread.run', ...wire.head, ...stopped }
      last.push(['thread.run.incomplete', { ...run, llama_guard: blockNote(decision) }])
      return `${last.map(([name, data]) => sse(data, name)).join('')}event: done\ndata: [DONE]\n\n`
    },
    fail: (error) => sse({ error: streamFailure(error) }, 'error'),
  })
}

function headOf(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = ['id', 'thread_id', 'assistant_id', 'model'].filter((name) => shortText(data[name]) !== undefined)
  return Object.fromEntries(names.map((name) => [name, data[name]]))
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
