// Counts tokens as Llama 2 does, which is the tokenizer of Llama Guard 1.
import { createCounter, LONGEST_WORD, Vocabulary } from './counter.js'
import { TABLE } from './llama-2-table.js'

/**
 * The parts of a text: a word or marks with the blank before them, digits one by one, and other blanks. No token of the
 * vocabulary reaches from one part into the next, but for blanks, which are merged last. The tokenizer reads U+2581 as
 * a blank.
 */
const PART =
  /[ \u2581]{1,64}(?=[ \u2581])|[ \u2581]?[\p{L}\p{M}]{1,64}|\p{N}|[ \u2581]?[^ \u2581\p{L}\p{M}\p{N}]{1,64}|[ \u2581]/uy

let vocabulary: Vocabulary | undefined

function tokensOf(part: string): number {
  vocabulary ??= new Vocabulary(TABLE)
  const text = part.includes('\u2581') ? part.replaceAll('\u2581', ' ') : part
  if (Buffer.byteLength(text) === text.length) {
    if (vocabulary.has(text)) return 1
    // An ASCII character is one token, as a character or as a byte.
    return text.length > LONGEST_WORD ? text.length : text.length - vocabulary.countMerges(text.split(''))
  }
  // The table has characters in UTF-8. A character that is no token is written in bytes.
  const units = Array.from(text, (character) => Buffer.from(character).toString('latin1'))
  let tokens = 0
  for (const unit of units) tokens += vocabulary.has(unit) ? 1 : unit.length
  return units.length > LONGEST_WORD ? tokens : tokens - vocabulary.countMerges(units)
}

export const llama2Tokens = createCounter({ part: PART, tokensOf })
