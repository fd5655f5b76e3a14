// Where JSON begins in bytes that come in pieces of any size, and text of wide characters, which is refused.
import { describe, expect, it } from 'vitest'
import { JsonStart, looksLikeJson } from '../../../src/request/body/json-start.js'

const wide = (text: string, width: number, littleEndian: boolean): Buffer =>
  Buffer.concat(
    Array.from(text, (letter) => {
      const bytes = Buffer.alloc(width)
      bytes[littleEndian ? 0 : width - 1] = letter.charCodeAt(0)
      return bytes
    }),
  )
const refused = expect.objectContaining({ code: 'unsupported_media_type' }) as Error
const piecewise = (bytes: Uint8Array, size: number): boolean | undefined => {
  const start = new JsonStart()
  for (let at = 0; at < bytes.length; at += size) start.add(bytes.subarray(at, at + size))
  return start.answer
}

describe('JSON in wide characters', () => {
  it.each([
    ['UTF-16, low byte first', 2, true],
    ['UTF-16, high byte first', 2, false],
    ['UTF-32, low byte first', 4, true],
    ['UTF-32, high byte first', 4, false],
  ] as const)('(%s) is refused, whole and in pieces of any size', (_name, width, littleEndian) => {
    for (const text of ['{"a":1}', '[1]', ' \n {"a":1}', '"{\\"a\\":1}"', '"\\u007b"']) {
      const bytes = wide(text, width, littleEndian)
      expect(() => looksLikeJson(bytes)).toThrow(refused)
      for (const size of [1, 2, 3, 5]) expect(() => piecewise(bytes, size)).toThrow(refused)
    }
  })

  it.each([[[0xfe, 0xff, 0, 0x61]], [[0xff, 0xfe, 0x61, 0]]])(
    'is refused by its byte order mark, whatever follows',
    (bytes) => {
      expect(() => looksLikeJson(Buffer.from(bytes))).toThrow(refused)
      expect(() => piecewise(Buffer.from(bytes), 1)).toThrow(refused)
    },
  )
})

describe('The first character that is no blank', () => {
  it.each<[string, boolean | undefined]>([
    ['{"a":1}', true],
    ['[1]', true],
    [' \t\r\n\u00a0\ufeff\u3000\u2028{', true],
    ['"{', true],
    ['"\\u007b', true],
    ['" [', true],
    ['"words', false],
    ['words', false],
    ['\u00e9{', false],
    ['\u{1f642}{', false],
    ['', undefined],
    [' \ufeff ', undefined],
  ])('of %j tells, in pieces of any size', (text, begins) => {
    const bytes = Buffer.from(text)
    expect(looksLikeJson(bytes)).toBe(begins)
    for (const size of [1, 2, 3]) expect(piecewise(bytes, size)).toBe(begins)
  })

  it.each([
    [[0xe2, 0x80, 0x28, 0x7b]],
    [[0xc2, 0x7b]],
    [[0xe2, 0x7b, 0x7b]],
    [[0xc0, 0x7b]],
    [[0xf0, 0x9f, 0x99, 0x82, 0x7b]],
    [[0xff, 0x7b]],
  ])('is not guessed from bytes that are no UTF-8, %j', (list) => {
    const bytes = Buffer.from(list)
    expect(looksLikeJson(bytes)).toBe(false)
    for (const size of [1, 2, 3]) expect(piecewise(bytes, size)).toBe(false)
  })
})
