// Counts tokens as Llama 3 does, which is the tokenizer of Llama Guard 2 and 3.
import { codeAt, createCounter, LONGEST_WORD, sizeOf } from './counter.js'
import { Merges, unpack } from './merges.js'
import { PAIRS, WHOLE } from './llama-3-table.js'

/** Every text may be merged with the table's tokens before this one. */
const COMMON = 41_744

/**
 * The parts of a text, as the tokenizer's own pattern has them, in runs of bounded length.
 * Source: `pre_tokenizer` in tokenizer.json of meta-llama/Meta-Llama-3-8B.
 */
const PART =
  /'(?:[sStTmMdD]|[rRvV][eE]|[lL]{2})|[^\r\n\p{L}\p{N}]?\p{L}{1,64}|\p{N}{1,3}| ?[^\s\p{L}\p{N}]{1,24}[\r\n]{0,64}|\s{0,64}[\r\n]{1,64}|\s{1,64}(?!\S)|\s{1,64}/uy

/** The same bound as {@link LONGEST_WORD} for a word of characters of three bytes. */
const LONGEST_BYTES = 96

/** Letters of an alphabet of which the table has common tokens alone. */
const SPARSE = /[\0-\x7f\p{Script=Latin}]/u

/** True for a text of scripts of which the table has every token. A blank before the text is part of it. */
export function isDense(text: string): boolean {
  const words = text.startsWith(' ') ? text.slice(1) : text
  return words !== '' && !SPARSE.test(words)
}

interface Vocabulary {
  readonly merges: Merges
  /** A part that is a token as a whole is that token, however it would be merged. */
  readonly whole: ReadonlySet<string>
}

/** A byte is the token of its own number. */
const BYTES = 256

function read(): Vocabulary {
  return { merges: new Merges(PAIRS, BYTES), whole: new Set(unpack(WHOLE).toString().split('\0')) }
}

let vocabulary: Vocabulary | undefined

function tokensOf(part: string): number {
  vocabulary ??= read()
  const { merges, whole } = vocabulary
  if (whole.has(part)) return 1
  let size = 0
  for (let at = 0, code; at < part.length; at += code < 0x10000 ? 1 : 2) size += sizeOf((code = codeAt(part, at)))
  const ascii = size === part.length
  if (size > (ascii ? LONGEST_WORD : LONGEST_BYTES)) return size
  writeBytes(part, merges.units)
  return merges.merge(size, ascii || !isDense(part) ? BYTES + COMMON : undefined)
}

/** Writes a text in UTF-8. `Buffer.from` takes longer for a word than merging does. */
function writeBytes(text: string, into: Uint16Array): void {
  let size = 0
  const more = (bits: number): number => 0x80 | (bits & 0x3f)
  for (let at = 0, code; at < text.length; at += code < 0x10000 ? 1 : 2) {
    code = codeAt(text, at)
    if (code < 0x80) into[size++] = code
    else {
      if (code < 0x800) into[size++] = 0xc0 | (code >> 6)
      else {
        if (code < 0x10000) into[size++] = 0xe0 | (code >> 12)
        else {
          into[size++] = 0xf0 | (code >> 18)
          into[size++] = more(code >> 12)
        }
        into[size++] = more(code >> 6)
      }
      into[size++] = more(code)
    }
  }
}

export const llama3Tokens = createCounter({ part: PART, tokensOf })
