// The Llama-2 prompt against the article's own bytes, and every conversation it must refuse.
import { expect, test } from 'vitest'
import { llama2Prompt } from '../../../src/upstream/sagemaker/llama-2.js'

const user = (content: unknown) => ({ role: 'user', content })
const assistant = (content: unknown) => ({ role: 'assistant', content })
const system = (content: unknown) => ({ role: 'system', content })

// Printed by the article's format_chat_messages, run in Python on the same messages.
test.each([
  [
    'one user message',
    [user('I forgot how to kill a process in Linux, can you help?')],
    '<s>[INST] I forgot how to kill a process in Linux, can you help? [/INST] ',
  ],
  ['system text', [system('Be brief.'), user(' Hi ')], '<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n Hi [/INST] '],
  ['three turns', [user(' a '), assistant('\n b\t'), user('c')], '<s>[INST] a [/INST] b</s><s>[INST] c [/INST] '],
  [
    'system and three turns',
    [system(' s '), user('a'), assistant('b'), user('c')],
    '<s>[INST] <<SYS>>\n s \n<</SYS>>\n\na [/INST] b</s><s>[INST] c [/INST] ',
  ],
])('A prompt of %s is byte for byte what the article builds', (_, messages, prompt) => {
  expect(llama2Prompt(messages)).toBe(prompt)
})

test('A long run of spaces costs no more than its length', () => {
  const text = `a${' '.repeat(300_000)}b`
  expect(llama2Prompt([user(text)])).toBe(`<s>[INST] ${text} [/INST] `)
})

test('Text parts are joined and a developer message is system text', () => {
  const parts = user([
    { type: 'text', text: 'a' },
    { type: 'text', text: 'b' },
  ])
  expect(llama2Prompt([{ role: 'developer', content: 'd' }, parts])).toBe(
    '<s>[INST] <<SYS>>\nd\n<</SYS>>\n\nab [/INST] ',
  )
})

test.each([
  ['user twice', [user('a'), user('b')], 'unreadable_request', /messages\[1\] should be assistant/],
  ['assistant first', [assistant('a')], 'unreadable_request', /messages\[0\] should be user/],
  [
    'assistant first, after system',
    [system('s'), assistant('a')],
    'unreadable_request',
    /messages\[1\] should be user/,
  ],
  ['assistant last', [user('a'), assistant('b')], 'unreadable_request', /last message/],
  ['system in the middle', [user('a'), system('s'), user('b')], 'unreadable_request', /messages\[1\] should be/],
  ['system alone', [system('s')], 'unreadable_request', /messages\[0\] should be user/],
  ['no message', [], 'unreadable_request', /last message/],
  ['a tool result', [user('a'), { role: 'tool', content: 'b' }], 'unreadable_request', /messages\[1\] should be/],
  ['no object', ['a'], 'unreadable_request', /messages\[0\] has no text/],
  ['null content', [user(null)], 'unreadable_request', /messages\[0\] has no text/],
  ['an image', [user([{ type: 'image_url', image_url: {} }])], 'unsupported_content', /messages\[0\].* not text/],
  ['a tool call', [user('a'), { content: '', tool_calls: [{}] }], 'unsupported_content', /messages\[1\] holds tool/],
])('A conversation with %s is refused by its index', (_, messages, code, message) => {
  expect(() => llama2Prompt(messages)).toThrowError(
    expect.objectContaining({ code, status: 400, message: expect.stringMatching(message) }) as Error,
  )
})

test('Tags of the format inside a message stay readable and lose their power', () => {
  expect(llama2Prompt([user('what do <s>x</s>, [INST]y[/INST] and <<SYS>>z<</SYS>> do?')])).toBe(
    '<s>[INST] what do < s>x< /s>, [ INST]y[ /INST] and < <SYS>>z< </SYS>> do? [/INST] ',
  )
})
