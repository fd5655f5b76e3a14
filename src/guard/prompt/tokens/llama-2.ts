// Counts tokens as Llama 2 does, which is the tokenizer of Llama Guard 1.
import { codeAt, createCounter, LONGEST_WORD, sizeOf } from './counter.js'
import { Merges, unpack } from './merges.js'
import { CHARACTERS, PAIRS } from './llama-2-table.js'

/**
 * The parts of a text: a word or marks with the blank before them, digits one by one, and other blanks. No token of the
 * vocabulary reaches from one part into the next, but for blanks, which are merged last. The tokenizer reads U+2581 as
 * a blank.
 */
const PART =
  /[ \u2581]{1,64}(?=[ \u2581])|[ \u2581]?[\p{L}\p{M}]{1,64}|\p{N}|[ \u2581]?[^ \u2581\p{L}\p{M}\p{N}]{1,64}|[ \u2581]/uy

interface Vocabulary {
  readonly merges: Merges
  /** The numbers of the characters that are tokens, but for ASCII, by code. */
  readonly characters: ReadonlyMap<number, number>
}

/** A character of ASCII is the token of its own number, and the other characters follow. */
const ASCII = 0x80
/** A character that is merged with no other. */
const UNKNOWN = 0xfffe

function read(): Vocabulary {
  const characters = new Map<number, number>()
  for (const character of unpack(CHARACTERS).toString())
    characters.set(character.codePointAt(0)!, ASCII + characters.size)
  return { merges: new Merges(PAIRS, ASCII + characters.size), characters }
}

let vocabulary: Vocabulary | undefined

function tokensOf(part: string): number {
  vocabulary ??= read()
  const { merges, characters } = vocabulary
  let units = 0
  let tokens = 0
  for (let at = 0, code; at < part.length; at += code < 0x10000 ? 1 : 2) {
    code = codeAt(part, at)
    const token = code === 0x2581 ? 0x20 : code < ASCII ? code : characters.get(code)
    // A character that is no token is written in bytes.
    tokens += token === undefined ? sizeOf(code) : 1
    merges.units[units++] = token ?? UNKNOWN
  }
  return units > LONGEST_WORD ? tokens : tokens - units + merges.merge(units)
}

export const llama2Tokens = createCounter({ part: PART, tokensOf })
