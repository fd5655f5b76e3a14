// What is judged of an image that no guard looks at.
import { describe, expect, it } from 'vitest'
import { pictureWords } from '../../../src/dialects/kit/media.js'

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC'
const noise = (bytes: number): Buffer => {
  let state = 7
  return Buffer.from(Array.from({ length: bytes }, () => (state = (state * 1103515245 + 12345) % 2 ** 31) >> 16))
}
const long = (start: readonly number[]): string => Buffer.concat([Buffer.from(start), noise(6000)]).toString('base64')
const words = (url: string): string => pictureWords({ url })

describe('An image that no guard looks at', () => {
  it.each([
    ['png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0]],
    ['jpeg', [0xff, 0xd8, 0xff, 0xe0]],
    ['gif', [0x47, 0x49, 0x46, 0x38, 0x39, 0x61]],
    ['webp', [0x52, 0x49, 0x46, 0x46, 0, 0]],
    ['bmp', [0x42, 0x4d, 0x36]],
    ['tiff', [0x49, 0x49, 0x2a, 0]],
    ['tiff', [0x4d, 0x4d, 0, 0x2a]],
    ['avif', [0, 0, 0, 0x1c, 0x66, 0x74, 0x79, 0x70]],
    ['x-icon', [0, 0, 1, 0, 1]],
  ])('has no words as %s', (type, start) => {
    expect(words(`data:image/${type};base64,${long(start)}`)).toBe('')
  })

  it('has the words of its address and of the head of its data', () => {
    expect(words('https://a.test/planted%20words.png')).toBe('https://a.test/planted%20words.png')
    const named = `data:image/planted-words;base64,${PNG}`
    expect(words(named)).toBe(named)
  })
})
