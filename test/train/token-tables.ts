// Writes the tables of src/guard/prompt/tokens from the vocabularies of Llama 2 and Llama 3:
// `npx vite-node test/train/token-tables.ts`.
//
// A vocabulary lists its tokens in the order in which they are merged. A text that is merged with the first tokens of
// that list alone is at a state which the real tokenizer passes through, so it has no fewer tokens in the end. That is
// why a table may leave out the rest of the list.
import { writeFileSync } from 'node:fs'
import { brotliCompressSync, constants } from 'node:zlib'
import llama2 from 'llama-tokenizer-js'
import llama3 from 'llama3-tokenizer-js'
import { isDense } from '../../src/guard/prompt/tokens/llama-3.js'

/** Tokens of Llama 2 before this one are special tokens and bytes. */
const FIRST_OF_LLAMA_2 = 259
/** The tokens of Llama 2 that every text is merged with. Runs of blanks are merged last. */
const COMMON_OF_LLAMA_2 = 20_000
/** The tokens of Llama 3 that every text is merged with. */
const COMMON_OF_LLAMA_3 = 20_000
/** Words of lower-case letters, with the blank before them, up to this one. A whole word needs no merging. */
const WORDS_OF_LLAMA_3 = 50_000
const TOKENS_OF_LLAMA_3 = 128_000

const utf8 = new TextDecoder('utf-8', { fatal: true })

function write(name: string, about: string, tokens: readonly string[]): void {
  const bytes = Buffer.from(tokens.join('\xff'), 'latin1')
  const packed = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_LGWIN]: 24 } }).toString('base64')
  writeFileSync(
    `src/guard/prompt/tokens/${name}-table.ts`,
    `// ${about}
// Written by test/train/token-tables.ts: do not edit. A string in a module loads the same way from ESM,
// from CommonJS and from a bundle.

/** The tokens in bytes, in order of merging, with the byte 0xff between them; compressed, in base64. */
export const TABLE =
  '${packed}'
`,
  )
  console.log(name, tokens.length, 'tokens', packed.length, 'characters')
}

/** A token of Llama 3 in its bytes, a character each. */
const byteOf = new Map<string, string>()
for (let byte = 0, others = 0; byte < 256; byte++) {
  const printed = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  byteOf.set(String.fromCharCode(printed ? byte : 256 + others++), String.fromCharCode(byte))
}
const bytesOf = (token: string): string => Array.from(token, (character) => byteOf.get(character)!).join('')

function textOf(bytes: string): string | undefined {
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'))
  } catch {
    return undefined
  }
}

const kept = llama3.vocabById
  .slice(0, TOKENS_OF_LLAMA_3)
  .map(bytesOf)
  .filter((bytes, rank) => {
    const text = textOf(bytes)
    // A single byte is a token anyway.
    if (bytes.length === 1) return false
    return (
      rank < COMMON_OF_LLAMA_3 ||
      // A part of a character.
      text === undefined ||
      isDense(text) ||
      (rank < WORDS_OF_LLAMA_3 && /^ [a-z]+$/.test(text))
    )
  })
write('llama-3', 'Tokens of Llama 3, most common first.', kept)

const single = (token: string): boolean => Array.from(token).length === 1
const inUtf8 = (token: string): string => Buffer.from(token.replaceAll('\u2581', ' ')).toString('latin1')
const merged = new Set([...llama2.merges].sort(([, a], [, b]) => a - b).map(([pair]) => pair.replace(' ', '')))
const blanks = (token: string): boolean => /^\u2581+$/.test(token)
write('llama-2', 'Tokens of Llama 2, in order of merging, then its single characters.', [
  ...[...merged].filter((token, rank) => rank < COMMON_OF_LLAMA_2 || blanks(token)).map(inUtf8),
  ...llama2.vocabById.slice(FIRST_OF_LLAMA_2).filter(single).map(inUtf8),
])
