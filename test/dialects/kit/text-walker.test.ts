// The walker of replies: what may go unjudged in them has bounds of length and number, and so has its work.
import { expect, it } from 'vitest'
import { openaiChat } from '../../../src/dialects/openai-chat.js'

const judged = (more: object): string =>
  openaiChat
    .reply({ choices: [{ index: 0, message: { content: 'a' } }], ...more })!
    .map(({ text }) => text)
    .join('\n')
const UNREADABLE = expect.objectContaining({ code: 'unreadable_response' }) as Error

it('A name in a metadata field goes unjudged up to 128 characters.', () => {
  expect(judged({ id: 'x'.repeat(128) })).toBe('a')
  expect(judged({ id: 'x'.repeat(129) })).toBe(`a\n${'x'.repeat(129)}`)
  expect(judged({ id: 'two words' })).toBe('a\ntwo words')
})

it('A reply has 512 keys of its own that go unjudged, and no more.', () => {
  const keys = (count: number): object =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`own${at}`, null]))
  expect(judged(keys(511))).toBe('a')
  expect(judged(keys(520))).toContain('own519')
})

it('A reply of more than 200,000 values, or nested deeper than 64, cannot be read.', () => {
  const nest = (depth: number): unknown => (depth === 0 ? 'words' : [nest(depth - 1)])
  expect(judged({ more: nest(62) })).toBe('a\nwords')
  expect(() => judged({ more: nest(70) })).toThrow(UNREADABLE)
  expect(judged({ more: Array.from({ length: 199_000 }, () => null) })).toBe('a')
  expect(() => judged({ more: Array.from({ length: 200_000 }, () => null) })).toThrow(UNREADABLE)
})
