// Where a text may be cut.
import { describe, expect, it } from 'vitest'
import { firstSentenceEnd, lastSentenceEnd, wholeCharacter } from '../../src/utils/sentences.js'

/** The text with a bar at every place where a sentence ends. */
function marked(text: string): string {
  const ends = Array.from(text, (_, index) => index).filter((to) => lastSentenceEnd(text, 0, to) === to)
  return ends.reduceRight((marks, at) => `${marks.slice(0, at)}|${marks.slice(at)}`, text)
}

describe('a sentence', () => {
  it.each([
    ['One. Two! Three? Four', 'One. |Two! |Three? |Four'],
    ['He said "no." She left.) So', 'He said "no." |She left.) |So'],
    ['version 3.14 of a.b.c', 'version 3.14 of a.b.c'],
    ['a line\nand one more\n\nend', 'a line\n|and one more\n|\n|end'],
    ['\u4f60\u597d\u3002\u518d\u89c1\uff01\u5417', '\u4f60\u597d\u3002|\u518d\u89c1\uff01|\u5417'],
    ['\u0643\u064a\u0641\u061f \u0628\u062e\u064a\u0631', '\u0643\u064a\u0641\u061f |\u0628\u062e\u064a\u0631'],
    ['\u0905\u0964 \u0906', '\u0905\u0964 |\u0906'],
  ])('ends where its script says so: %j', (text, expected) => {
    expect(marked(text)).toBe(expected)
  })

  it('is looked for between two indexes alone', () => {
    const text = 'One. Two. Three.'
    expect([lastSentenceEnd(text, 0, 4), lastSentenceEnd(text, 0, 9), lastSentenceEnd(text, 6, 9)]).toEqual([
      undefined,
      5,
      undefined,
    ])
    expect([firstSentenceEnd(text, 0, 16), firstSentenceEnd(text, 0, 4), firstSentenceEnd(text, 5, 16)]).toEqual([
      5,
      undefined,
      10,
    ])
    expect(lastSentenceEnd(text, -5, 12)).toBe(10)
  })

  it('begins with a whole character', () => {
    expect([0, 1, 2, 3, 4].map((index) => wholeCharacter('a\u{1F600}b', index))).toEqual([0, 1, 1, 3, 4])
  })
})
