// The flags and the help of `check`.
import type { Command } from 'commander'
import { guarded, type GuardFlags, optionsOf, type OutputFormat, outputOption } from '../flags.js'
import { type CliIo, type Done, fileText } from '../io.js'

/** Adds `check` to the program. */
export function addCheck(program: Command, io: CliIo, done: Done): void {
  guarded(program.command('check'))
    .description('Judge a text, a conversation, or the lines of standard input, exactly as the middleware would.')
    .argument('[text...]', 'a user message; quotes are not needed')
    .option('-f, --file <path>', 'a file with one JSON conversation: a list of messages, or {"messages": [...]}')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  $ npx express-llama-guard check How do I kill a process in Linux
  $ npx express-llama-guard check --file conversation.json --output json
  $ npx express-llama-guard check --guard local < prompts.txt && echo all safe`,
    )
    .action(async (words: string[], flags: GuardFlags & { file?: string; output: OutputFormat }) => {
      const { check } = await import('./index.js')
      const json = flags.file === undefined ? undefined : await fileText(flags.file)
      const text = words.length === 0 ? undefined : words.join(' ')
      // A terminal is not read, because a person would not know that the command waits for input.
      const stdin = io.stdin?.isTTY === true ? undefined : io.stdin
      done(await check({ text, json, stdin, output: flags.output, options: optionsOf(flags, io.env) }, io))
    })
}
