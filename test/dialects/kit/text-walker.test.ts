// The walker of replies: what may go unjudged in them has bounds of length and number, and so has its work.
import { expect, it } from 'vitest'
import { ollamaChat } from '../../../src/dialects/ollama-chat.js'
import { TextWalker } from '../../../src/dialects/kit/text-walker.js'
import { openaiChat } from '../../../src/dialects/openai-chat.js'

const judged = (more: object): string =>
  openaiChat
    .reply({ choices: [{ index: 0, message: { content: 'a' } }], ...more })!
    .map(({ text }) => text)
    .join('\n')
const UNREADABLE = expect.objectContaining({ code: 'unreadable_response' }) as Error

it('What stands beside the tokens of a choice is told with its place, choice by choice.', () => {
  const told: string[] = []
  const walker = new TextWalker({ metadata: new Set(), tokenLists: true, code: 'unreadable_response' })
  const choice = (note: string): object => ({ logprobs: { content: [{ token: 'a', note }] } })
  walker.walk({ choices: [choice('one note'), choice('another note')] }, (path, text) => told.push(`${path}: ${text}`))
  expect(told.filter((each) => each.endsWith(' note'))).toEqual([
    'choices.0.logprobs.content.0.note: one note',
    'choices.1.logprobs.content.0.note: another note',
  ])
})

it('An id in a metadata field goes unjudged, and words in it do not, however they are written.', () => {
  for (const id of [
    'chatcmpl-9Qx2Lm7VzKpT4RwB',
    'b4a1f0e2-94c3-4d7a-8f21-0c9d3e5a7b61',
    'o8cVzdB-2j9zxn-944a5d8b2f7d9f1a',
  ])
    expect(judged({ id })).toBe('a')
  for (const id of ['two words', 'gluedwords', 'call_tell_me_how', 'x'.repeat(40)])
    expect(judged({ id })).toBe(`a\n${id}`)
  expect(judged({ model: 'Qwen/Qwen2.5-7B-Instruct-AWQ', system_fingerprint: '3.0.1-sha-bb9095aad' })).toBe('a')
  expect(judged({ model: 'makeabombathome' })).toBe('a\nmakeabombathome')
})

it('Of ids, a reply has 128 that go unjudged, and no more; those after the first 16 hold no word at all.', () => {
  const ids = (count: number, of: (at: number) => string): string[] => Array.from({ length: count }, (_, at) => of(at))
  const calls = (list: readonly string[]): string => judged({ usage: { id: list } })
  expect(calls(ids(128, (at) => `call_${at}`)).split('\n')).toEqual(['a', ...ids(0, String)])
  expect(calls(ids(130, (at) => `call_${at}`)).split('\n')).toEqual(['a', 'call_128', 'call_129'])
  expect(calls(ids(20, (at) => `call_x9Qkill4vZ7mW2p${at + 10}`)).split('\n')).toHaveLength(1 + 4)
})

it('Names of fields that nobody knows are judged, twice each, and short ones as often as they come.', () => {
  const keys = (count: number): object =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`own${at}`, null]))
  expect(judged(keys(600)).split('\n')).toEqual(['a', ...Array.from({ length: 600 }, (_, at) => `own${at}`)])
  const list = (name: string): object => ({ usage: Array.from({ length: 5 }, () => ({ [name]: 1 })) })
  expect(judged(list('harmful'))).toBe('a\nharmful\nharmful')
  expect(judged(list('e'))).toBe('a\ne\ne\ne\ne\ne')
})

it('Padding goes unjudged while it is random, and words in it do not, whole or in pieces.', () => {
  const padded = (pieces: readonly string[]): string => judged({ list: pieces.map((obfuscation) => ({ obfuscation })) })
  expect(padded(['x9QkLv4vZ7', 'mW2pR', 'T', '', 'q8ZtB3nVc5'])).toBe('a\nlist')
  expect(padded(['tellmehow'])).toContain('tellmehow')
  // Two letters alone say too little to tell.
  expect(padded(['tell', 'meho', 'wtom', 'akea', 'bomb', 'atho', 'me'])).toBe('a\nlist\ntellmehowtom\nakeabombatho')
})

it('Numbers that are the codes of letters are judged as what they spell.', () => {
  const codes = (text: string): number[] => [...Buffer.from(text)]
  expect(judged({ usage: codes('tellmehowtomake') })).toBe('a\ntellmehowtomake')
  expect(judged({ usage: [1, 2, 300] })).toBe('a')
  const tokens = (bytes: number[]): string =>
    judged({ logprobs: { content: [{ token: ' responsibility', logprob: -1, bytes }] } })
  expect(tokens(codes(' responsibility'))).toBe('a\n responsibility')
  expect(tokens(codes('harm'))).toBe('a\n responsibility\nharm')
})

it('Bytes of tokens are judged in every script, joined, and an object may be named `__proto__`.', () => {
  const halves = [...Buffer.from('如何')].map((byte) => ({ token: '?', bytes: [byte] }))
  expect(judged({ logprobs: { content: halves } })).toBe('a\n??????\n如何')
  expect(judged(JSON.parse('{"logprobs":{"content":[],"__proto__":{"so":"it is"}}}') as object)).toContain('it is')
  expect(judged(JSON.parse('{"logprobs":{"__proto__":["it is"]}}') as object)).toContain('it is')
})

it('A reply of more than 200,000 values, or nested deeper than 64, cannot be read.', () => {
  const nest = (depth: number): unknown => (depth === 0 ? 'words' : [nest(depth - 1)])
  expect(judged({ more: nest(62) })).toBe('a\nmore\nwords')
  expect(() => judged({ more: nest(70) })).toThrow(UNREADABLE)
  expect(judged({ more: Array.from({ length: 199_000 }, () => null) })).toBe('a\nmore')
  expect(() => judged({ more: Array.from({ length: 200_000 }, () => null) })).toThrow(UNREADABLE)
})

it('Tokens are judged beside the arguments of a call that say the same, and so is what else stands in their list.', () => {
  const message = { role: 'assistant', content: '', tool_calls: [{ function: { name: 'f', arguments: { a: 'x y' } } }] }
  const logprobs = [{ token: 'x' }, { token: ' y' }]
  expect(ollamaChat.reply({ message, logprobs, done: true })?.[0]?.text.split('\n')).toContain('x y')
  expect(judged({ logprobs: { content: [], text: 'stop' } })).toBe('a\nstop')
})
