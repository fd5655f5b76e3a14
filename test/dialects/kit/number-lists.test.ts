// Text as a list of numbers: a field that holds token ids or character codes is refused, and a field of numbers is not.
import { describe, expect, it } from 'vitest'
import { openaiChat } from '../../../src/dialects/openai-chat.js'

const ask = (more: object): unknown => openaiChat.request({ messages: [{ role: 'user', content: 'a' }], ...more })
const refused = expect.objectContaining({ code: 'unreadable_request' }) as Error
const NAMES = [
  ...['input_ids', 'inputIds', 'token_ids', 'tokenIds', 'prompt_token_ids', 'promptTokenIds', 'decoder_input_ids'],
  ...['tokens', 'prompt_ids', 'prompt', 'input', 'query', 'question', 'message', 'context', 'text', 'content'],
  ...[
    'inputs_embeds',
    'prompt_embeds',
    'promptEmbeds',
    'char_codes',
    'charCodes',
    'codepoints',
    'code_points',
    'bytes',
  ],
]

describe('A list of numbers', () => {
  it.each(NAMES)('under the name %s is refused, also a single one and inside other lists.', (name) => {
    for (const list of [[300], [[300]], [[], [[300]]], ['a', 300]]) {
      expect(() => ask({ [name]: list })).toThrow(refused)
      expect(() => ask({ mine: { [name]: list } })).toThrow(refused)
    }
  })

  it('under another name is refused when it is long, or spells characters.', () => {
    for (const list of [Array.from({ length: 8 }, () => 300), [72, 101, 108, 108, 111], [[72, 101], [108, 108], [111]]])
      expect(() => ask({ mine: list })).toThrow(refused)
  })

  it('under another name is none when it is short and spells nothing.', () => {
    for (const list of [
      [300],
      [1, 2, 3, 4, 5, 6, 7],
      [72, 101, 108, 108],
      [72, 101, 108, 108, 127],
      [72, 101, 108, 108, 0.5],
    ])
      expect(() => ask({ mine: list })).not.toThrow()
  })
})
