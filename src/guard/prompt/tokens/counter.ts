// Counts the tokens of a text with a part of the model's own vocabulary. The count is never below the real one: a text
// that is merged with the first tokens of the vocabulary alone is at a state which the real tokenizer passes through.

export interface Reach {
  /** Never between the halves of a surrogate pair. */
  readonly end: number
  readonly tokens: number
}

/** Estimates tokens. It reads left to right, so that appended text never moves an earlier cut. */
export interface TokenCounter {
  /** The index that `budget` tokens reach in `text` from `start`, and the tokens up to it. */
  reach(text: string, start: number, budget: number): Reach
  count(text: string): number
}

/** The parts in which a tokenizer reads a text, and the tokens of one part. */
export interface Splitting {
  /** Matches the next part of a text, sticky. The runs in it are bounded, so that a cut never reads far ahead. */
  readonly part: RegExp
  tokensOf(part: string): number
}

/**
 * A word of more characters counts a token for each of them, because merging takes the square of its length. No
 * language has such words.
 */
export const LONGEST_WORD = 40
/** Places for parts whose tokens are remembered, a power of two. The words of a text repeat. */
const PLACES = 32_768
/** V8 copies a part of at most this many characters. A longer part would keep the whole text in memory. */
const LONGEST_REMEMBERED = 12

export function createCounter({ part, tokensOf }: Splitting): TokenCounter {
  // Each part has one place, and a newer part takes it. A Map takes longer, most of all for words that never repeat.
  const parts: string[] = Array.from({ length: PLACES }, () => '')
  const costs = new Uint8Array(PLACES)
  const costOf = (text: string): number => {
    if (text.length > LONGEST_REMEMBERED) return tokensOf(text)
    const place = placeOf(text)
    if (parts[place] !== text) {
      costs[place] = tokensOf(text)
      parts[place] = text
    }
    return costs[place]!
  }
  const reach = (text: string, start: number, budget: number): Reach => {
    let tokens = 0
    for (let index = start; index < text.length;) {
      part.lastIndex = index
      const end = part.test(text) ? part.lastIndex : index + 1
      const cost = costOf(text.slice(index, end))
      if (tokens + cost > budget) {
        // A part that is larger than the whole budget is cut where its bytes fill it.
        return index > start ? { end: index, tokens } : { end: cutInside(text, start, budget), tokens: budget }
      }
      tokens += cost
      index = end
    }
    return { end: text.length, tokens }
  }
  return { reach, count: (text) => reach(text, 0, Infinity).tokens }
}

/** The character at an index. Half of a pair is U+FFFD, as in UTF-8. */
export function codeAt(text: string, index: number): number {
  const code = text.codePointAt(index)!
  return code >= 0xd800 && code <= 0xdfff ? 0xfffd : code
}

/** The bytes of a character in UTF-8. */
export function sizeOf(code: number): number {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
}

/** The index up to which the bytes of a text take no more than `budget`, and at least one character. */
function cutInside(text: string, start: number, budget: number): number {
  let end = start
  for (let bytes = 0; end < text.length;) {
    const code = text.codePointAt(end)!
    bytes += sizeOf(code)
    if (bytes > budget && end > start) break
    end += code < 0x10000 ? 1 : 2
  }
  return end
}

function placeOf(text: string): number {
  let hash = 0
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0
  return (hash ^ (hash >>> 13)) & (PLACES - 1)
}
