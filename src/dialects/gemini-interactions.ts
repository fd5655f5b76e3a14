// Gemini's Interactions API: `/interactions`, a text, contents, turns or steps in, and steps out, in older revisions
// outputs. Its stream has named events, with what a step or an output says as deltas.
// https://ai.google.dev/api/interactions-api
import { isObject, textOf } from '../utils/json.js'
import type { Dialect, Media, StreamReader } from './dialect.js'
import { gemini } from './gemini.js'
import { eventReader, isDone, shortText } from './kit/event-reader.js'
import { isContent } from './kit/messages.js'
import { claiming, readRequest } from './kit/read-request.js'
import { blockNote, failureType, typedEvents } from './kit/refusals.js'
import { itemIndex, reading, type ReplyFields, server, words } from './kit/reply-fields.js'
import { type Blocks, type BlockStep, blocksAfter, NO_BLOCKS } from './kit/stream-memory.js'

const SNIPPETS: ReplyFields = { ...server('review_id'), ...words('title url') }
const CONTENT: ReplyFields = {
  ...server('type mime_type resolution channels rate sample_rate'),
  ...words('text data uri name'),
  annotations: {
    ...server('type start_index end_index start_offset end_offset media_id page_number place_id'),
    ...words('title url name source document_uri file_name text speaker style custom_metadata'),
    review_snippets: SNIPPETS,
  },
}
const ERROR: ReplyFields = { ...server('code status'), ...words('message details') }
/** The fields of every kind of step, output and delta. */
const STEP: ReplyFields = {
  ...CONTENT,
  ...server('id call_id is_error search_type retrieval_type'),
  ...words('server_name'),
  signature: 'sealed',
  arguments: 'json',
  content: CONTENT,
  summary: CONTENT,
  result: {
    ...CONTENT,
    ...server('status'),
    ...words('title url rendered_content search_suggestions'),
    widget_context_token: 'sealed',
    places: { ...server('place_id'), ...words('name url'), review_snippets: SNIPPETS },
  },
  error: ERROR,
}
const INTERACTION: ReplyFields = {
  ...server('id object status role model agent created updated usage service_tier previous_interaction_id'),
  ...server('environment_id generation_config safety_settings response_modalities response_mime_type cached_content'),
  ...words('system_instruction'),
  continuation_token: 'sealed',
  agent_config: server('type model thinking_summaries visualization'),
  tools: { ...server('type'), ...words('name description url'), parameters: 'json' },
  input: STEP,
  steps: STEP,
  outputs: STEP,
  errors: ERROR,
}
const INTERACTIONS_REPLY: ReplyFields = {
  ...INTERACTION,
  // Events.
  ...server('event_type event_id interaction_id index step_usage metadata'),
  interaction: INTERACTION,
  step: STEP,
  content: STEP,
  delta: STEP,
  error: ERROR,
}

const FIELDS = { system_instruction: 'system', input: 'messages' } as const

export const geminiInteractions: Dialect = {
  name: 'gemini-interactions',
  paths: ['/v1beta/interactions', '/v1/interactions', '/locations/*/interactions'],
  // Those in the background are polled. Other APIs of a first version have interactions too, with other ids.
  bodiless: /\/(?:v1beta1?|v1(?=\/interactions\/v1_)|locations\/[^/]+)\/interactions\/[^/]+(?:\/cancel)?$/,
  claims: claiming(
    { input: 'value', model: 'text' },
    { input: 'value', agent: 'text' },
    // What was cut off goes on.
    { continuation_token: 'text', model: 'text' },
  ),
  answers: (data) => isObject(data) && /^interaction\.(?:created|start|status_update)$/.test(textOf(data.event_type)),
  request: (body) =>
    readRequest({ fields: FIELDS }, 'input' in body ? { ...body, input: messagesIn(body.input) } : body),
  reply: reading(INTERACTIONS_REPLY, { steps: 'list' }, { outputs: 'list' }, { id: 'text', status: 'text' }),
  stream: interactionsStream,
  refusal: gemini.refusal,
  decline: ({ words, model, decision }) => ({
    id: 'llama-guard',
    object: 'interaction',
    status: 'completed',
    ...(model !== undefined && { model }),
    steps: [{ type: 'model_output', content: [{ type: 'text', text: words }] }],
    llama_guard: blockNote(decision),
  }),
}

/** Contents that follow each other are one message. Turns and steps are messages as they are. */
function messagesIn(input: unknown): readonly unknown[] {
  const messages: unknown[] = []
  let parts: unknown[] | undefined
  for (const item of Array.isArray(input) ? (input as unknown[]) : [input]) {
    if (!isContent(item)) parts = void messages.push(item)
    else if (parts === undefined) messages.push({ role: 'user', content: (parts = [item]) })
    else parts.push(item)
  }
  return messages
}

const STEPS: Readonly<Record<string, BlockStep>> = {
  'interaction.created': 'start',
  'interaction.start': 'start',
  'step.start': 'open',
  'content.start': 'open',
  'step.stop': 'close',
  'content.stop': 'close',
  'interaction.completed': 'end',
  'interaction.complete': 'end',
  error: 'end',
}
const NAMES = ['created', 'completed', 'step'] as const
const OLD_NAMES = ['start', 'complete', 'content'] as const
/** The events of older revisions, which stream contents in place of steps. */
const OLD = /^(?:content\.\w+|interaction\.start)$/

interface State extends Blocks {
  readonly old: boolean
  readonly id: string
  readonly model?: string | undefined
}
const START: State = { ...NO_BLOCKS, old: false, id: 'llama-guard' }

function interactionsStream(_calls?: unknown, media?: Media): StreamReader {
  return eventReader({
    fields: INTERACTIONS_REPLY,
    options: { media },
    repeats: /^\d+\.(?:text|arguments)$/,
    read(texts, data) {
      if (!/^(?:step|content)\./.test(textOf(data.event_type))) return texts.walk(data)
      const index = itemIndex(data)
      // The start of a step and its deltas form one text.
      const channel = (path: string): string =>
        `${index}.${path.replace(/^(?:step|content|delta)\.(?:(?:content|summary)\.(?:\d+\.)?)?/, '')}`
      texts.walk(data, { channel, grows: true })
    },
    start: START,
    after(state, data, event) {
      const type = textOf(data.event_type)
      const { id, model } = isObject(data.interaction) ? data.interaction : {}
      return {
        ...blocksAfter(state, isDone(event) ? 'end' : STEPS[type], itemIndex(data)),
        old: state.old || OLD.test(type),
        id: shortText(id) ?? state.id,
        model: shortText(model) ?? state.model,
      }
    },
    block({ started, open, next, id, model }, decision, words, { old }) {
      const [begin, end, part] = old ? OLD_NAMES : NAMES
      const interaction = { id, object: 'interaction', model }
      const frames: object[] = []
      const add = (type: string, fields: object): unknown => frames.push({ event_type: type, ...fields })
      if (!started) add(`interaction.${begin}`, { interaction: { ...interaction, status: 'in_progress' } })
      for (const index of open) add(`${part}.stop`, { index })
      if (words !== undefined) {
        add(`${part}.start`, { index: next, [part]: { type: old ? 'text' : 'model_output' } })
        add(`${part}.delta`, { index: next, delta: { type: 'text', text: words } })
        add(`${part}.stop`, { index: next })
      }
      const note = { llama_guard: blockNote(decision) }
      add(`interaction.${end}`, { interaction: { ...interaction, status: 'incomplete' }, ...note })
      return `${typedEvents(frames, 'event_type')}data: [DONE]\n\n`
    },
    fail: (_state, error) =>
      typedEvents(
        [{ event_type: 'error', error: { code: error.code, message: error.message, type: failureType(error) } }],
        'event_type',
      ),
  })
}
