// The flags and the help of `eval`.
import type { Command } from 'commander'
import { bound, count, guarded, type GuardFlags, optionsOf, outputOption, share } from '../flags.js'
import type { CliIo, Done } from '../io.js'
import type { EvaluateFlags } from './index.js'

/** Adds `eval` to the program. */
export function addEval(program: Command, io: CliIo, done: Done): void {
  guarded(program.command('eval'))
    .description(
      'Measure a guard on labelled texts: precision, recall, F1, false positive rate, AUPRC, AUROC, a ' +
        'threshold, and a report to look at.',
    )
    .argument(
      '<file...>',
      'JSONL, JSON or CSV: {"text", "unsafe", "categories"}, or a public corpus, known by its columns ' +
        '(XSTest, SimpleSafetyTests, OpenAI moderation, ToxicChat, AILuminate, BeaverTails)',
    )
    .option('--text <column>', 'text column of a file of no known format')
    .option('--label <column>', 'label column of such a file')
    .option('--unsafe-value <value>', 'the label that means unsafe (1, true, yes, unsafe, toxic and harmful are known)')
    .option('--categories <column>', 'category column of such a file')
    .option(
      '--threshold <probability>',
      "count a text as unsafe from this score on (LLAMA_GUARD_THRESHOLD; else the model's own word counts)",
      share,
    )
    .option(
      '--no-scores',
      'do not ask an OpenAI-compatible server for token log probabilities: no curves, no recommended threshold',
    )
    .option('--policy <file>', 'judge by the policy of this JSON file (LLAMA_GUARD_POLICY)')
    .option(
      '--against <guard>',
      'a second guard on the same texts: local, model@endpoint, a model, or a policy file (.json)',
    )
    .option('--no-labels', 'the texts have no labels: what is flagged and, with --against, what changes')
    .option('--cascade', 'choose the thresholds of a cascade: the measured guard is the large one, --against the small')
    .option(
      '--max-disagreement <share>',
      'with --cascade: share of texts that may be decided otherwise than by the large guard',
      share,
      0.01,
    )
    .option('--concurrency <number>', 'judgements in flight', count(1), 8)
    .option('--resume <path>', 'remember verdicts here (no texts), and go on from it')
    .addOption(outputOption())
    .option(
      '--least <measure=value>',
      'exit 1 when the measure is below: recall=0.9, f1, precision, auprc...',
      bound,
      {},
    )
    .option('--most <measure=value>', 'exit 1 when the measure is above: falsePositiveRate=0.05', bound, {})
    .option('--mistakes <path>', 'write the wrongly judged as JSON Lines, which hold the texts')
    .option('--report <path>', 'write an HTML report, which holds the texts')
    .option(
      '--target-fpr <share>',
      'share of safe texts that may be flagged, for the recommended threshold',
      share,
      0.03,
    )
    .addHelpText(
      'after',
      `
Examples:
  $ npx express-llama-guard eval prompts.jsonl --guard local --report report.html
  $ npx express-llama-guard eval xstest.csv --guard llama-guard-3-8b@guard-8b --resume xstest.state --against local
  $ npx express-llama-guard eval rows.jsonl --policy new.json --against old.json
  $ npx express-llama-guard eval rows.jsonl --guard llama-guard-3-8b@guard-8b \\
      --against llama-guard-3-1b@guard-1b --cascade --max-disagreement 0.01
  $ npx express-llama-guard eval rows.jsonl --guard local --output json --least recall=0.8 --most falsePositiveRate=0.05
  $ npx express-llama-guard eval tickets.csv --text message --label verdict --unsafe-value bad`,
    )
    .action(async (files: string[], flags: GuardFlags & EvaluateFlags) => {
      const { evaluate } = await import('./index.js')
      done(await evaluate(files, flags, optionsOf(flags, io.env), io))
    })
}
