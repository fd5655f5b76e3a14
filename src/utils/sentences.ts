// Finds places where a text may be cut.

/** The end of a sentence with the blank after it, in the scripts that mark it, or of a line. */
const END =
  /[.!?\u061F\u06D4\u0964]["'\u201D\u2019)\]]{0,3}\s|[\u3002\uFF01\uFF1F][\u201D\u2019\u300D\u300F\uFF09]{0,3}|\n/gu
const END_ONCE = new RegExp(END.source, 'u')

/** The index after the last sentence or line that ends between two indexes. Undefined when there is none. */
export function lastSentenceEnd(text: string, from: number, to: number): number | undefined {
  let end: number | undefined
  for (const { index, 0: mark } of text.slice(Math.max(0, from), to).matchAll(END)) end = index + mark.length
  return end === undefined ? undefined : Math.max(0, from) + end
}

/** The index after the first sentence or line that ends between two indexes. Undefined when there is none. */
export function firstSentenceEnd(text: string, from: number, to: number): number | undefined {
  const first = END_ONCE.exec(text.slice(from, to))
  return first === null ? undefined : from + first.index + first[0].length
}

/** Moves an index that points between the halves of a surrogate pair to the pair's start. */
export function wholeCharacter(text: string, index: number): number {
  const code = text.charCodeAt(index)
  return index > 0 && code >= 0xdc00 && code <= 0xdfff ? index - 1 : index
}
