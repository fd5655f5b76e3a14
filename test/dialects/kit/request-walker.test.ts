// The walker of requests: sealed data of vendors, schemas as a model reads them, and settings that hold no words.
import { describe, expect, it } from 'vitest'
import { RequestWalker, type Place } from '../../../src/dialects/kit/request-walker.js'

const SEALED = 'EqMBCkYIBRgCKkBh7mCa0uX9bVn3Qw1rTg5Yz8PoLk2JdHs6FcXeNiMv4RtUyWq0ZaBxSgKp'
const texts = (value: unknown, place: Place = {}): readonly string[] => {
  const found: string[] = []
  new RequestWalker({}).read(value, { text: (text) => void found.push(text), picture: () => undefined }, place)
  return found
}

describe('Sealed data', () => {
  it.each([
    ['thinking', 'signature'],
    ['redacted_thinking', 'data'],
    ['reasoning', 'encrypted_content'],
    ['reasoning', 'signature'],
    ['compaction', 'encrypted_content'],
    ['function', 'encryptedValue'],
    ['reasoning.encrypted', 'data'],
    ['reasoning.text', 'signature'],
    ['web_search_result', 'encrypted_content'],
    ['web_search_result_location', 'encrypted_index'],
  ])('of a %s goes unjudged in `%s` and nowhere else, and words in its place do not', (type, key) => {
    expect(texts({ type, [key]: SEALED })).toEqual([])
    expect(texts({ type, [key]: 'planted words' })).toContain('planted words')
    expect(texts({ type: 'text', [key]: SEALED })).toContain(SEALED)
    expect(texts({ type, note: SEALED })).toContain(SEALED)
    expect(texts({ type, [key]: SEALED }, { top: true })).toContain(SEALED)
  })

  it.each([
    ['google', 'thought_signature'],
    ['google', 'thoughtSignature'],
    ['openai', 'reasoningEncryptedContent'],
    ['anthropic', 'signature'],
    ['anthropic', 'redactedData'],
  ])('of %s goes unjudged in its `%s`, and words in its place do not', (vendor, key) => {
    expect(texts({ [vendor]: { [key]: SEALED } })).not.toContain(SEALED)
    expect(texts({ [vendor]: { [key]: 'planted words' } })).toContain('planted words')
    expect(texts({ other: { [key]: SEALED } })).toContain(SEALED)
  })
})

describe('Arguments and schemas', () => {
  it.each(
    (
      'input arguments args output result parameters input_schema schema guided_json json filters ' +
      'parametersJsonSchema parameters_json_schema responseSchema response_schema responseJsonSchema ' +
      'response_json_schema'
    ).split(' '),
  )('under `%s` are judged as the JSON text that the model reads', (key) => {
    expect(texts({ [key]: { a: 'b', c: ['d'] } }, { json: true })).toContain('{"a":"b","c":["d"]}')
    expect(texts({ [key]: { a: 'b' } })).not.toContain('{"a":"b"}')
  })
})
