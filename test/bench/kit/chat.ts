// The chats of the benchmarks: ordinary English, of any length, the same in every run.

const WORDS =
  'the report shows that most of our visitors come back within a week because they found what they had been looking for and the rest of them asked for more detail about prices delivery and returns before they made up their minds '

/** That many characters of prose. */
export function prose(characters: number): string {
  return WORDS.repeat(Math.ceil(characters / WORDS.length)).slice(0, characters)
}

export interface ChatShape {
  /** Messages, the last one included. */
  readonly turns: number
  readonly stream: boolean
  /** Makes the last message one of a kind. */
  readonly mark: string
}

export function chatBody({ turns, stream, mark }: ChatShape): string {
  const messages = Array.from({ length: turns - 1 + ((turns - 1) % 2) }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: prose(200),
  }))
  return JSON.stringify({
    model: 'demo',
    messages: [...messages, { role: 'user', content: `${prose(200)} ${mark}` }],
    ...(stream && { stream: true }),
  })
}

/** A Chat Completions reply of about that many bytes of text. */
export function replyBody(bytes: number): string {
  return JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1711997860,
    model: 'demo',
    choices: [{ index: 0, message: { role: 'assistant', content: prose(bytes) }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
  })
}

export function chunkOf(
  content: string | undefined,
  finish: string | null = null,
  created: number = 1711997860,
): string {
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created, model: 'demo', choices: [{ index: 0, delta: content === undefined ? {} : { content }, finish_reason: finish }] })}\n\n`
}

/** The events of a streamed reply, a word each. */
export function replyChunks(bytes: number): string[] {
  const words = prose(bytes).match(/\S+\s*/g) ?? []
  return [...words.map((word) => chunkOf(word)), chunkOf(undefined, 'stop'), 'data: [DONE]\n\n']
}

/** The API whose events they are, or bare text. */
export type Form = 'chat' | 'responses' | 'text'

/** A streamed reply in that form, a word an event. The numbers of Responses make each event another one. */
export function replyEvents(bytes: number, form: Form): string[] {
  if (form === 'chat') return replyChunks(bytes)
  const words = prose(bytes).match(/\S+\s*/g) ?? []
  if (form === 'text') return words
  const type = 'response.output_text.delta'
  const event = (delta: string, sequence: number): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, item_id: 'msg_1', output_index: 0, content_index: 0, delta, sequence_number: sequence })}\n\n`
  const first = {
    type: 'response.created',
    response: { id: 'resp_1', status: 'in_progress', output: [] },
    sequence_number: 0,
  }
  return [`event: ${first.type}\ndata: ${JSON.stringify(first)}\n\n`, ...words.map((word, at) => event(word, at + 1))]
}
