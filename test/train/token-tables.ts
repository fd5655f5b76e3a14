// Writes the tables of src/guard/prompt/tokens from the vocabularies of Llama 2 and Llama 3:
// `npx vite-node test/train/token-tables.ts`.
//
// A vocabulary lists its tokens in the order in which they are merged. The tables hold all of them.
import { writeFileSync } from 'node:fs'
import { brotliCompressSync, constants } from 'node:zlib'
import llama2 from 'llama-tokenizer-js'
import llama3 from 'llama3-tokenizer-js'
import { LONGEST_WORD } from '../../src/guard/prompt/tokens/counter.js'

/** Tokens of Llama 2 before this one are special tokens and bytes. */
const FIRST_OF_LLAMA_2 = 259
const TOKENS_OF_LLAMA_3 = 128_000

const utf8 = new TextDecoder('utf-8', { fatal: true })

function write(name: string, about: string, tables: Readonly<Record<string, { about: string; data: Buffer }>>): void {
  const packed = Object.entries(tables).map(([constant, { about: what, data }]) => {
    const params = { [constants.BROTLI_PARAM_LGWIN]: 24 }
    const base64 = brotliCompressSync(data, { params }).toString('base64')
    console.log(name, constant, data.length, 'bytes', base64.length, 'characters')
    return `
/** ${what}; compressed, in base64. */
export const ${constant} =
  '${base64}'
`
  })
  writeFileSync(
    `src/guard/prompt/tokens/${name}-table.ts`,
    `// ${about}
// Written by test/train/token-tables.ts: do not edit. A string in a module loads the same way from ESM,
// from CommonJS and from a bundle.
${packed.join('')}`,
  )
}

interface Merged {
  /** The numbers of the two parts of each token, in order of merging. */
  readonly pairs: number[]
  /** Tokens that no merging gives. */
  readonly rest: string[]
}

/** How tokens come from merging single units. A unit has the number of its place, and tokens the numbers after them. */
function mergedFrom(tokens: readonly string[], units: readonly string[], unitsOf: (token: string) => string[]): Merged {
  const ranks = new Map(tokens.map((token, rank) => [token, rank]))
  const merged = new Map(tokens.map((token) => [token, lastPair(unitsOf(token), ranks)]))
  const rest = tokens.filter((token) => merged.get(token) === undefined)
  const numbers = new Map(
    [...units, ...tokens.filter((token) => merged.get(token) !== undefined)].map((unit, number) => [unit, number]),
  )
  const pairs = [...merged.values()].flatMap((pair) => pair?.map((part) => numbers.get(part)!) ?? [])
  return { pairs, rest }
}

/** The last two parts when all are merged. */
function lastPair(parts: readonly string[], ranks: ReadonlyMap<string, number>): readonly string[] | undefined {
  let left = parts
  while (left.length > 2) {
    const joined = left.slice(1).map((part, at) => ranks.get(left[at]! + part) ?? Infinity)
    const first = Math.min(...joined)
    if (first === Infinity) return undefined
    const at = joined.indexOf(first)
    left = left.toSpliced(at, 2, left[at]! + left[at + 1]!)
  }
  return left
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

/** The left parts and then the right ones, all lowest bytes first. */
const inBytes = (pairs: readonly number[]): Buffer => {
  const side = (first: number): number[] => pairs.filter((_, at) => at % 2 === first)
  const bytes = (parts: readonly number[]): number[] =>
    [0, 8, 16].flatMap((shift) => parts.map((part) => (part >> shift) & 255))
  return Buffer.from([...bytes(side(0)), ...bytes(side(1))])
}
const PAIRS = 'The two tokens of which each token is merged, in order of merging, in 24 bits each'

// A single byte is a token anyway.
const ofLlama3 = llama3.vocabById
  .slice(0, TOKENS_OF_LLAMA_3)
  .map(bytesOf)
  .filter((bytes) => bytes.length > 1)
const merged = mergedFrom(ofLlama3, [...byteOf.values()].sort(), (token) => token.split(''))
// A part of a text that is longer is not merged.
const long = ofLlama3.filter((bytes) => bytes.length > LONGEST_WORD)
write('llama-3', 'Tokens of Llama 3.', {
  PAIRS: { about: PAIRS, data: inBytes(merged.pairs) },
  WHOLE: {
    about: 'Tokens that are known as a whole, because no merging gives them or they are long, with a NUL between them',
    data: Buffer.from([...new Set([...long, ...merged.rest])].flatMap((bytes) => textOf(bytes) ?? []).join('\0')),
  },
})

const inUtf8 = (token: string): string => token.replaceAll('\u2581', ' ')
const ofLlama2 = new Set([...llama2.merges].sort(([, a], [, b]) => a - b).map(([pair]) => pair.replace(' ', '')))
const characters = llama2.vocabById
  .slice(FIRST_OF_LLAMA_2)
  .filter((token) => Array.from(token).length === 1 && token !== '\u2581' && token > '\x7f')
const ascii = Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code))
const mergedOfLlama2 = mergedFrom([...ofLlama2].map(inUtf8), [...ascii, ...characters], (token) => Array.from(token))
write('llama-2', 'Tokens of Llama 2.', {
  CHARACTERS: { about: 'The characters that are tokens, but for ASCII', data: Buffer.from(characters.join('')) },
  PAIRS: { about: PAIRS, data: inBytes(mergedOfLlama2.pairs) },
})
