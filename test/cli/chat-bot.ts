// The model behind the gateway under test, in OpenAI's and Anthropic's words. It echoes; with tools it calls
// one first and tells what came back.
// SECRET in a message becomes what the guard blocks, so that a harmless question can have a harmful answer.
import type { ServerResponse } from 'node:http'
import { listen, readBody } from '../upstream/helpers.js'
import type { Listening } from '../upstream/helpers.js'

interface Part {
  readonly type: string
  readonly text?: string
  readonly content?: string
}
interface Message {
  readonly role: string
  readonly content: string | readonly Part[]
}
interface Asked {
  readonly stream?: boolean
  readonly tools?: readonly unknown[]
  readonly messages: readonly Message[]
}
/** What the model has to say: words, or the argument of a call of the tool `find`. */
type Say = { readonly text: string } | { readonly query: string }

export interface ChatBot extends Listening {
  readonly asked: Asked[]
}

export async function startChatBot(): Promise<ChatBot> {
  const asked: Asked[] = []
  const server = await listen((req, res) => {
    void readBody(req).then((bytes) => {
      const body = JSON.parse(bytes.toString()) as Asked
      asked.push(body)
      const { json, events } = req.url?.endsWith('/messages') ? anthropic(sayTo(body)) : openai(sayTo(body))
      if (body.stream === true) void stream(res, events)
      else res.setHeader('content-type', 'application/json').end(JSON.stringify(json))
    })
  })
  return { ...server, asked }
}

function sayTo({ messages, tools }: Asked): Say {
  const last = messages.at(-1)
  const result =
    typeof last?.content === 'string' ? undefined : last?.content.find(({ type }) => type === 'tool_result')
  const text = (
    typeof last?.content === 'string'
      ? last.content
      : (last?.content.map((part) => part.text ?? part.content ?? '').join('') ?? '')
  ).replace('SECRET', 'UNSAFE_O3')
  if (last?.role === 'tool' || result !== undefined) return { text: `It says ${text}` }
  return (tools?.length ?? 0) > 0 ? { query: text } : { text }
}

/** Piece by piece, with time for a check in between. */
async function stream(res: ServerResponse, events: readonly string[]): Promise<void> {
  res.setHeader('content-type', 'text/event-stream')
  for (const event of events) {
    if (res.destroyed) return
    res.write(event)
    await new Promise((wake) => setTimeout(wake, 10))
  }
  res.end()
}

const words = (text: string): string[] => text.split(/(?<= )/)

function openai(say: Say): { json: object; events: string[] } {
  const head = { id: 'c', created: 1, model: 'm' }
  const call =
    'query' in say
      ? { id: 'call_1', type: 'function', function: { name: 'find', arguments: JSON.stringify({ query: say.query }) } }
      : undefined
  const finish = call === undefined ? 'stop' : 'tool_calls'
  const message =
    'text' in say ? { role: 'assistant', content: say.text } : { role: 'assistant', content: null, tool_calls: [call] }
  const event = (delta: object, reason: string | null = null): string =>
    `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`
  const pieces =
    'text' in say
      ? words(say.text).map((content) => event({ content }))
      : [
          event({ tool_calls: [{ index: 0, ...call, function: { name: 'find', arguments: '' } }] }),
          ...words(call?.function.arguments ?? '').map((piece) =>
            event({ tool_calls: [{ index: 0, function: { arguments: piece } }] }),
          ),
        ]
  return {
    json: {
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: finish }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    },
    events: [event({ role: 'assistant', content: '' }), ...pieces, event({}, finish), 'data: [DONE]\n\n'],
  }
}

function anthropic(say: Say): { json: object; events: string[] } {
  const block =
    'text' in say
      ? { type: 'text', text: say.text }
      : { type: 'tool_use', id: 'toolu_1', name: 'find', input: { query: say.query } }
  const stop = 'text' in say ? 'end_turn' : 'tool_use'
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  }
  const event = (type: string, data: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
  const deltas =
    'text' in say
      ? words(say.text).map((text) => ({ type: 'text_delta', text }))
      : words(JSON.stringify({ query: say.query })).map((piece) => ({ type: 'input_json_delta', partial_json: piece }))
  return {
    json: { ...message, content: [block], stop_reason: stop },
    events: [
      event('message_start', { message: { ...message, content: [], stop_reason: null } }),
      event('content_block_start', {
        index: 0,
        content_block: 'text' in say ? { type: 'text', text: '' } : { ...block, input: {} },
      }),
      ...deltas.map((delta) => event('content_block_delta', { index: 0, delta })),
      event('content_block_stop', { index: 0 }),
      event('message_delta', { delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: 2 } }),
      event('message_stop', {}),
    ],
  }
}
