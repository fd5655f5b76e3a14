// Who speaks in a message of a chat inside a body: every name of a speaker that clients use, in every spelling.
import { describe, expect, it } from 'vitest'
import { nestedChat } from '../../src/request/nested-chat.js'

const SPEAKERS = {
  user: ['user', 'human', 'humanmessage', 'customer', 'client'],
  assistant: ['assistant', 'ai', 'aimessage', 'bot', 'model', 'agent', 'chatbot'],
  system: ['system', 'developer', 'systemmessage'],
  tool: ['tool', 'function', 'toolmessage', 'functionmessage'],
}
const named = Object.entries(SPEAKERS).flatMap(([role, names]) => names.map((name) => ({ role, name })))
const messagesOf = (...list: readonly object[]): unknown => nestedChat({ list })?.messages

describe('A message', () => {
  it.each(named)('of $name is one of the $role, whether its role or its type says so.', ({ role, name }) => {
    for (const spelt of [name, name.toUpperCase(), ` ${name}\n`]) {
      expect(messagesOf({ role: spelt, content: 'a' })).toEqual([{ role, content: 'a' }])
      expect(messagesOf({ type: spelt, content: 'a' })).toEqual([{ type: spelt, role, content: 'a' }])
      expect(messagesOf({ role: 'user', text: 'a' }, { role: spelt, text: 'b' })).toEqual([
        { role: 'user', text: 'a' },
        { role, text: 'b' },
      ])
    }
  })

  it.each(['oracle', '', 'users', 'user'.padEnd(33)])('of %j is words of a user, beside a message.', (role) => {
    const stranger = { role, content: 'a' }
    expect(messagesOf({ role: 'user', content: 'b' }, stranger)).toEqual([
      { role: 'user', content: 'b' },
      { role: 'user', item: stranger },
    ])
  })
})
