// Counts tokens as Llama 3 does, which is the tokenizer of Llama Guard 2 and 3.
import { codeAt, createCounter, LONGEST_WORD, sizeOf } from './counter.js'
import { Merges, MOST_UNITS, unpack } from './merges.js'
import { PAIRS, WHOLE } from './llama-3-table.js'

/**
 * The parts of a text, as the tokenizer's own pattern has them, in runs of bounded length.
 * Source: `pre_tokenizer` in tokenizer.json of meta-llama/Meta-Llama-3-8B.
 */
const PART =
  /'(?:[sStTmMdD]|[rRvV][eE]|[lL]{2})|[^\r\n\p{L}\p{N}]?\p{L}{1,64}|\p{N}{1,3}| ?[^\s\p{L}\p{N}]{1,24}[\r\n]{0,64}|\s{0,64}[\r\n]{1,64}|\s{1,64}(?!\S)|\s{1,64}/uy

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
  if (size > (size === part.length ? LONGEST_WORD : MOST_UNITS)) return size
  writeBytes(part, merges.units)
  return merges.merge(size)
}

/** Writes a text in UTF-8. `Buffer.from` takes longer for a word than merging does. */
function writeBytes(text: string, into: Uint32Array): void {
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
