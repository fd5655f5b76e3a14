// Stop sequences at the end of an answer, cut anywhere.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StopText } from '../../../src/upstream/sagemaker/chat-format.js'

test('However a text is cut, what comes out is the text, less one stop sequence at its end', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
  fc.assert(
    fc.property(
      fc.array(letters),
      fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 4 }), { maxLength: 3 }),
      (pieces, stops) => {
        const held = new StopText(stops)
        const out = pieces.map((piece) => held.push(piece)).join('') + held.end()
        const text = pieces.join('')
        const stop = stops.find((sequence) => text.endsWith(sequence))
        expect(out).toBe(stop === undefined ? text : text.slice(0, -stop.length))
      },
    ),
  )
})
