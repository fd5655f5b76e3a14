// The events that a guard streams: what adds nothing, and what is no event of a known server.
import { describe, expect, it } from 'vitest'
import { readStreamEvent } from '../../../src/guard/answer/completion.js'

describe('a line of a streamed answer', () => {
  it.each(['', '\r', 'data:', 'data: [DONE]', ': ping', 'event: message', 'id: 7', 'retry: 100'])(
    '%j adds nothing',
    (line) => {
      expect(readStreamEvent(line)).toEqual({ text: '' })
    },
  )

  it.each(['data: safe', 'data: 5', 'data: null', 'data: "safe"', 'data: ["safe"]', 'data: {}', '{"text":"safe"}'])(
    '%s is an error that says where to look',
    (line) => {
      expect(() => readStreamEvent(line)).toThrow(
        expect.objectContaining({ code: 'guard_error', message: expect.stringContaining('Check the container') }),
      )
    },
  )
})
