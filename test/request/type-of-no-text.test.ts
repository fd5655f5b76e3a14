// A type that is no text, and that JavaScript cannot make one of: the chat around it is judged all the same.
import { expect, it } from 'vitest'
import { onNode } from '../helpers/apps.js'
import { handler, json, ours, prompts, sendRaw, serving, WORD } from './planted.js'

const server = serving(onNode([ours()], handler))
const type = { toString: WORD }

it.each([
  ['a message', { messages: [{ role: 'user', content: 'Hi', type }] }],
  [
    'a record',
    {
      list: [
        { author: 'x', content: 'Hi', type },
        { role: 'user', content: 'Hi' },
      ],
    },
  ],
  [
    'a part',
    {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Hi' },
            { type, data: 'x' },
          ],
        },
      ],
    },
  ],
  ['sealed data', { messages: [{ role: 'user', content: [{ type, data: 'aGVsbG8gd29ybGQ' }] }] }],
])('stands in %s', async (_where, body) => {
  expect(await sendRaw(server(), { type: json, body: JSON.stringify(body) })).toBe(200)
  expect(prompts()).toContain(WORD)
})
