// Counts the tokens of a text: estimated, for a model whose vocabulary is not here, or merged with a part of the
// model's own vocabulary. A count is never below the real one, because a prompt that is too long is an error at the
// endpoint. Text is read left to right, so that appended text never moves an earlier cut.

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

/**
 * A run of letters and digits of at least this length counts as base64 or a hash, with nearly one token per
 * character.
 */
const LONG_RUN = 12
/** The most tokens that one byte counts for. */
export const MOST_PER_BYTE = 1.05

/**
 * An estimate. The weights were fitted to the Llama 2 and Llama 3 tokenizers over English, code, JSON, 15
 * other languages and generated noise. Under Llama 2 English is estimated at about twice its real size, other natural
 * text at 1.0 to 5 times, adversarial ASCII noise at no less than 0.9 times. Outside ASCII the estimate counts UTF-8
 * bytes, which is the most that a byte-level vocabulary can need.
 */
function reach(text: string, start: number, budget: number): Reach {
  let tokens = 0
  let run = 0
  let blank = 1
  for (let index = start; index < text.length; index++) {
    const code = text.charCodeAt(index)
    let cost: number
    if (code >= 97 && code <= 122) cost = run === 0 ? 0.7 : run < LONG_RUN ? 0.46 : 1
    else if (code >= 65 && code <= 90) cost = run < LONG_RUN ? 0.8 : 1
    else if (code === 32) cost = blank
    else if (code < 128) cost = MOST_PER_BYTE
    else if (code < 0x800 || (code >= 0xd800 && code <= 0xdfff)) cost = 2
    else cost = 3
    if (tokens + cost > budget) return { end: wholePair(text, start, index), tokens }
    tokens += cost
    const letter = (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
    run = letter || (code >= 48 && code <= 57) ? run + 1 : 0
    // A blank before a word is part of the word's token. Any other blank is a token of its own.
    blank = letter ? 0.34 : code === 32 ? 0.5 : 1
  }
  return { end: text.length, tokens }
}

export function estimateTokens(text: string): number {
  return Math.ceil(reach(text, 0, Infinity).tokens)
}

export const anyTokens: TokenCounter = { reach, count: estimateTokens }

function wholePair(text: string, start: number, end: number): number {
  const before = text.charCodeAt(end - 1)
  return end > start && before >= 0xd800 && before <= 0xdbff ? end - 1 : end
}

/** The parts in which a tokenizer reads a text, and the tokens of one part. */
export interface Splitting {
  /** Matches the next part of a text, sticky. The runs in it are bounded, so that a cut never reads far ahead. */
  readonly part: RegExp
  tokensOf(part: string): number
}

/**
 * A word of more characters counts a token for each of them, because merging takes ten times as long as counting. No
 * language has such words.
 */
export const LONGEST_WORD = 40
/** Places for parts whose tokens are remembered, a power of two. The words of a text repeat. */
const PLACES = 32_768
/** The most characters of a part that is remembered. */
const LONGEST_REMEMBERED = 12

export function createCounter({ part, tokensOf }: Splitting): TokenCounter {
  const known = new Remembered()
  const costOf = (text: string, start: number, end: number): number => {
    // A character of ASCII is one token everywhere.
    if (end - start === 1 && text.charCodeAt(start) < 0x80) return 1
    if (end - start > LONGEST_REMEMBERED) return tokensOf(text.slice(start, end))
    const place = known.placeOf(text, start, end)
    if (!known.has(place, text, start, end)) {
      known.put(place, text, start, end)
      known.costs[place] = tokensOf(text.slice(start, end))
    }
    return known.costs[place]!
  }
  const partEnd = (text: string, start: number): number => {
    part.lastIndex = start
    return part.test(text) ? part.lastIndex : start + 1
  }
  const reach = (text: string, start: number, budget: number): Reach => {
    let tokens = 0
    for (let index = start; index < text.length;) {
      const end = wordEnd(text, index) ?? partEnd(text, index)
      const cost = costOf(text, index, end)
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

/**
 * The end of a word of ASCII with the blank before it, which is a part to every tokenizer here. Undefined for anything
 * else. A pattern takes twice as long for the same.
 */
function wordEnd(text: string, start: number): number | undefined {
  const first = text.charCodeAt(start) === 32 ? start + 1 : start
  const last = Math.min(text.length, first + LONGEST_WORD)
  let end = first
  let code = 0
  while (end < last && (code = text.charCodeAt(end) | 32) >= 97 && code <= 122) end++
  // A letter, or a mark outside ASCII, may belong to the word.
  const goesOn = end < text.length && (end === first + LONGEST_WORD || text.charCodeAt(end) >= 0x80)
  return end === first || goesOn ? undefined : end
}

/**
 * The tokens of short parts. Each part has one place, and a newer part takes it. The characters stand in one array: a
 * Map or strings take longer, most of all for words that never repeat.
 */
class Remembered {
  readonly costs = new Uint8Array(PLACES)
  readonly #lengths = new Uint8Array(PLACES)
  readonly #characters = new Uint16Array(PLACES * LONGEST_REMEMBERED)

  placeOf(text: string, start: number, end: number): number {
    let hash = 0
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0
    return (hash ^ (hash >>> 13)) & (PLACES - 1)
  }

  has(place: number, text: string, start: number, end: number): boolean {
    if (this.#lengths[place] !== end - start) return false
    const first = place * LONGEST_REMEMBERED
    for (let at = start; at < end; at++) if (this.#characters[first + at - start] !== text.charCodeAt(at)) return false
    return true
  }

  /** The caller sets the cost. */
  put(place: number, text: string, start: number, end: number): void {
    this.#lengths[place] = end - start
    const first = place * LONGEST_REMEMBERED
    for (let at = start; at < end; at++) this.#characters[first + at - start] = text.charCodeAt(at)
  }
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
