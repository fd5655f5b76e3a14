// Counts tokens as Llama 3 does, which is the tokenizer of Llama Guard 2 and 3.
import { createCounter, LONGEST_WORD, Vocabulary } from './counter.js'
import { TABLE } from './llama-3-table.js'

/** Every text may be merged with the table's tokens before this one. */
const COMMON = 19_744

/**
 * The parts of a text, as the tokenizer's own pattern has them, in runs of bounded length.
 * Source: `pre_tokenizer` in tokenizer.json of meta-llama/Meta-Llama-3-8B.
 */
const PART =
  /'(?:[sStTmMdD]|[rRvV][eE]|[lL]{2})|[^\r\n\p{L}\p{N}]?\p{L}{1,64}|\p{N}{1,3}| ?[^\s\p{L}\p{N}]{1,24}[\r\n]{0,64}|\s{0,64}[\r\n]{1,64}|\s{1,64}(?!\S)|\s{1,64}/uy

/** The same bound as {@link LONGEST_WORD} for a word of characters of three bytes. */
const LONGEST_BYTES = 96

/** Letters of alphabets of which the table has common tokens alone. */
const SPARSE = /[\0-\x7f\p{Script=Latin}\p{Script=Cyrillic}]/u

/** True for a text of scripts of which the table has every token. A blank before the text is part of it. */
export function isDense(text: string): boolean {
  const words = text.startsWith(' ') ? text.slice(1) : text
  return words !== '' && !SPARSE.test(words)
}

let vocabulary: Vocabulary | undefined

function tokensOf(part: string): number {
  vocabulary ??= new Vocabulary(TABLE)
  const ascii = Buffer.byteLength(part) === part.length
  const bytes = ascii ? part : Buffer.from(part).toString('latin1')
  // A part that is a token as a whole is that token, whatever merging would give.
  if (vocabulary.has(bytes)) return 1
  if (bytes.length > (ascii ? LONGEST_WORD : LONGEST_BYTES)) return bytes.length
  return bytes.length - vocabulary.countMerges(bytes.split(''), ascii || !isDense(part) ? COMMON : undefined)
}

export const llama3Tokens = createCounter({ part: PART, tokensOf })
