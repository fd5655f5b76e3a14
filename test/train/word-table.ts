// Writes src/guard/reveal/words-table.ts, the words by which decoded text is known to be readable, from the training
// corpora: `npx vite-node test/train/word-table.ts -- PATH`.
import { writeFileSync } from 'node:fs'
import { brotliCompressSync } from 'node:zlib'
import { trainingExamples } from './data.js'

/** A word must stand in this many texts; short ones in more, because letters in disorder spell them by accident. */
const TEXTS = 3
const TEXTS_OF_FOUR_LETTERS = 5
const TEXTS_OF_THREE_LETTERS = 20
const TWO_LETTERS =
  'am an as at be by do go he hi if in is it me my no of oh ok on or so to up us we id im ai uk tv pc vs'.split(' ')

const texts = new Map<string, number>()
for (const { text } of trainingExamples(process.argv.at(-1)!)) {
  // Lower case alone, so that names stay out.
  const words = text.match(/(?<![A-Za-z'’])[a-z]+(?:['’][a-z]+)*(?![A-Za-z'’])/g) ?? []
  for (const word of new Set(words.map((each) => each.replace(/['’]/g, ''))))
    texts.set(word, (texts.get(word) ?? 0) + 1)
}
const words = [...texts]
  .filter(
    ([word, count]) =>
      word.length > 2 &&
      count >= (word.length > 4 ? TEXTS : word.length === 4 ? TEXTS_OF_FOUR_LETTERS : TEXTS_OF_THREE_LETTERS),
  )
  .map(([word]) => word)
  .concat(TWO_LETTERS)
  .sort()
const packed = brotliCompressSync(words.join(' ')).toString('base64')
writeFileSync(
  'src/guard/reveal/words-table.ts',
  `// The words of English that the training corpora of the built-in screen hold in several texts.
// Written by test/train/word-table.ts: do not edit. A string in a module loads the same way from ESM,
// from CommonJS and from a bundle.

/** Words without apostrophes, with blanks between them; compressed, in base64. */
export const WORDS =
  '${packed}'
`,
)
console.log(words.length, 'words,', packed.length, 'characters')
