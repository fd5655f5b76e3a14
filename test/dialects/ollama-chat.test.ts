// Ollama's native chat: images beside the content, NDJSON lines, errors as text.
import { expect, it } from 'vitest'
import { replyReader } from '../../src/dialects/index.js'
import { ollamaChat } from '../../src/dialects/ollama-chat.js'
import { LlamaGuardError } from '../../src/types/errors.js'
import { BLOCKED, event, gather, readerOf } from './streams.js'

const line = (content: string, more: object = {}): object => ({
  model: 'llama3.2',
  created_at: '2026-01-01T00:00:00.385406455-07:00',
  message: { role: 'assistant', content },
  done: false,
  ...more,
})

it('A request is read with its images, tools and calls; it streams unless told not to.', () => {
  const body = {
    model: 'llama3.2',
    messages: [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'See', images: ['/9j/AAAA'] },
      {
        role: 'assistant',
        content: '',
        thinking: 'hm m',
        tool_calls: [{ function: { name: 'f', arguments: { q: 'x y' } } }],
      },
      { role: 'tool', tool_name: 'f', content: 'found' },
    ],
    options: { temperature: 0, stop: ['</s>'] },
    format: 'json',
    keep_alive: '5m',
    template: '{{ .Prompt }} words',
  }
  const request = ollamaChat.request(body)
  expect(request).toMatchObject({ system: 'Be kind.\n{{ .Prompt }} words', stream: true, userTurns: [0], extras: [] })
  expect(request.turns).toEqual([
    { role: 'User', text: 'See', images: [{ url: 'data:image/jpeg;base64,/9j/AAAA' }] },
    { role: 'Agent', text: 'hm m\nf\n{"q":"x y"}' },
    { role: 'User', text: 'f\nfound' },
  ])
  expect(ollamaChat.request({ ...body, stream: false }).stream).toBe(false)
  const words = { role: 'user', content: 'a', images: ['words, not base64!'] }
  expect(ollamaChat.request({ messages: [words] }).turns).toEqual([{ role: 'User', text: 'a\nwords, not base64!' }])
})

it('A reply is its content, thinking and calls.', () => {
  expect(ollamaChat.reply(line('Hi.\n', { done: true, done_reason: 'stop', total_duration: 5 }))).toEqual([
    { index: 0, text: 'Hi.\n' },
  ])
  const message = {
    role: 'assistant',
    content: 'a',
    thinking: 'b',
    tool_calls: [{ function: { name: 'f', arguments: { x: 'y z' } } }],
  }
  expect(ollamaChat.reply({ message })).toEqual([{ index: 0, text: 'a\nb\nf\n{"x":"y z"}' }])
  expect(ollamaChat.reply({ reply: 'd' })).toBeUndefined()
})

it('A stream is read line by line and ends as its clients expect.', () => {
  const events = [line('Hel'), line('lo'), line('', { done: true, done_reason: 'stop' })].map((data) => event(data))
  expect(gather(ollamaChat.stream(), events)).toEqual({ '0:message.content': 'Hello' })
  const end = readerOf(ollamaChat, events, 2).block(BLOCKED)
  expect(end.endsWith('}\n')).toBe(true)
  expect(JSON.parse(end)).toMatchObject({
    model: 'llama3.2',
    message: { content: '' },
    done: true,
    done_reason: 'content_filter',
    llama_guard: { stage: 'output' },
  })
  expect(JSON.parse(readerOf(ollamaChat, events, 1).fail(new LlamaGuardError('guard_timeout', 'Too slow.')))).toEqual({
    error: 'Too slow.',
    type: 'guard_unavailable',
    code: 'guard_timeout',
  })
  expect(readerOf(ollamaChat, events, 3).block(BLOCKED)).toBe('')
})

it('A generation has a prompt, and its words in `response`.', () => {
  const body = { model: 'llama3.2', prompt: 'Hi', suffix: 'end', system: 'Be kind.', template: '{{ .Prompt }}' }
  expect(ollamaChat.request({ ...body, context: [1, 2] })).toMatchObject({
    turns: [{ role: 'User', text: 'Hi\nend' }],
    system: 'Be kind.\n{{ .Prompt }}',
    stream: true,
    extras: [],
    unseen: [{ what: 'stored-history', count: 1 }],
  })
  expect(ollamaChat.reply({ model: 'm', response: 'Hi.', done: true, context: [1, 2] })).toEqual([
    { index: 0, text: 'Hi.' },
  ])
  const events = ['Hel', 'lo'].map((response) => event({ model: 'm', response, done: false }))
  expect(gather(ollamaChat.stream(), events)).toEqual({ '0:response': 'Hello' })
  expect(JSON.parse(readerOf(ollamaChat, events, 1).block(BLOCKED, 'No.'))).toMatchObject({
    response: 'No.',
    done_reason: 'content_filter',
  })
})

it('A stream of OpenAI chunks on the same path is ended in their form.', () => {
  const events = [event({ id: 'chatcmpl-1', choices: [{ index: 0, delta: { content: 'a' } }] })]
  const reader = replyReader(ollamaChat)
  expect(gather(reader, events)).toEqual({ '0:delta.content': 'a' })
  reader.leaves?.()
  expect(reader.block(BLOCKED)).toMatch(/^data: .*"finish_reason":"content_filter".*\n\ndata: \[DONE\]\n\n$/)
})
