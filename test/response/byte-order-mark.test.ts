// The two marks of UTF-16, and no other bytes.
import { expect, it } from 'vitest'
import { markedOrder } from '../../src/response/byte-order-mark.js'

it.each<[readonly number[], string | undefined]>([
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff, 0x00], 'utf-16be'],
  [[0xff, 0xff], undefined],
  [[0xfe, 0xfe], undefined],
  [[0xff, 0x61], undefined],
  [[0x61, 0xff], undefined],
  [[0xff], undefined],
  [[], undefined],
])('The bytes %j are the mark of %s.', (bytes, order) => {
  expect(markedOrder(Buffer.from(bytes))).toBe(order)
})
