// Messages of AG-UI that no other API has: activities, binary parts of versions before 1.0, and parts that are none.
import { describe, expect, it } from 'vitest'
import { agUi } from '../../src/dialects/ag-ui.js'
import { event, gather } from './streams.js'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const PNG = 'iVBORw0KGgo='
const ask = (...messages: object[]) =>
  agUi.request({ threadId: 't', runId: 'r', messages: messages.map((one, at) => ({ id: `${at}`, ...one })) })
const content = (...parts: unknown[]) => ask({ role: 'user', content: parts })

describe('A message', () => {
  it('of an activity is judged as words of the assistant, with the names of its fields', () => {
    const plan = { role: 'activity', activityType: 'plan', content: { steps: ['first words', { note: 'others' }] } }
    const { turns } = ask({ role: 'user', content: 'hi' }, plan)
    expect(turns.map(({ role }) => role)).toEqual(['User', 'Agent'])
    for (const word of ['steps', 'first words', 'note', 'others']) expect(turns[1]!.text).toContain(word)
  })
})

describe('A part', () => {
  const words = 'words of a file that is longer than any word'
  it.each([
    { type: 'binary', mimeType: 'text/plain', data: base64(words) },
    { type: 'document', source: { type: 'data', value: base64(words), mimeType: 'text/plain' } },
    { type: 'document', source: { type: 'url', value: `data:text/plain;base64,${base64(words)}` } },
  ])('of text is judged as its text: %j', (part) => expect(content(part).turns[0]!.text).toContain(words))

  it.each([
    { type: 'binary', mimeType: 'image/png', data: PNG },
    { type: 'image', source: { type: 'data', value: PNG, mimeType: 'image/png' } },
    { type: 'image', source: { type: 'url', value: `data:image/png;base64,${PNG}` } },
  ])('of a picture is a picture of its turn: %j', (part) =>
    expect(content({ type: 'text', text: 'a' }, part).turns[0]!.images).toHaveLength(1),
  )
})

it.each('TEXT_MESSAGE_CONTENT TEXT_MESSAGE_CHUNK REASONING_MESSAGE_CONTENT TOOL_CALL_ARGS TOOL_CALL_CHUNK'.split(' '))(
  'Words that grow in events %s are one text for each message or call, however they interleave.',
  (type) => {
    const name = type.startsWith('TOOL') ? 'toolCallId' : 'messageId'
    const pieces = [
      ['a', 'one '],
      ['b', 'three '],
      ['a', 'two'],
      ['b', 'four'],
    ]
    const texts = gather(
      agUi.stream(),
      pieces.map(([id, delta]) => event({ type, [name]: id, delta })),
    )
    expect(Object.values(texts)).toEqual(expect.arrayContaining(['one two', 'three four']))
  },
)

it.each(['TEXT_MESSAGE_CHUNK', 'TOOL_CALL_CHUNK'])(
  'A chunk %s without an id goes on with the one before it.',
  (type) => {
    const name = type.startsWith('TOOL') ? 'toolCallId' : 'messageId'
    const chunks = [
      { [name]: 'a', delta: 'one ' },
      { delta: 'two' },
      { [name]: 'b', delta: 'three ' },
      { delta: 'four' },
    ]
    const texts = gather(
      agUi.stream(),
      chunks.map((chunk) => event({ type, ...chunk })),
    )
    expect(Object.values(texts)).toEqual(expect.arrayContaining(['one two', 'three four']))
  },
)
