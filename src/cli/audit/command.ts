// The flags and the help of `audit verify` and `audit join`.
import type { Command } from 'commander'
import { type OutputFormat, outputOption } from '../flags.js'
import type { CliIo, Done } from '../io.js'
import type { JoinFlags } from './join.js'

/** Adds `audit` to the program. */
export function addAudit(program: Command, io: CliIo, done: Done): void {
  const audit = program
    .command('audit')
    .description('Check the audit for gaps, or join it with texts that you keep.')
    .addHelpText(
      'after',
      `
Examples:
  $ npx express-llama-guard audit verify audit.jsonl*
  $ npx express-llama-guard audit join audit.jsonl* --texts texts.jsonl > rows.jsonl`,
    )
    .copyInheritedSettings(program)
  audit
    .command('verify')
    .description('Check the chain of an audit that was written with `chain: true`, and name its first gap.')
    .argument('<file...>', 'the file and its rotated parts, in any order, plain or with gzip')
    .addOption(outputOption())
    .copyInheritedSettings(program)
    .action(async (files: string[], { output }: { output: OutputFormat }) => {
      const { verify } = await import('./verify.js')
      done(await verify(files, io, output))
    })
  audit
    .command('join')
    .description('Put your texts beside the rows, for `eval`: each is then judged anew and compared with its verdict.')
    .argument('<file...>', 'the file and its rotated parts')
    .requiredOption('--texts <file>', 'JSON Lines: {"requestId", "text"} or {"requestId", "messages"}')
    .option('--secret-file <file>', "a file with the audit's secret; texts without an id are then found by their HMAC")
    .copyInheritedSettings(program)
    .action(async (files: string[], flags: JoinFlags) => {
      const { join } = await import('./join.js')
      done(await join(files, flags, io))
    })
}
