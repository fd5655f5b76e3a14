// The flags and the help of `check`.
import { Option } from 'commander'
import type { Command } from 'commander'
import { guarded, optionsOf, readText } from '../flags.js'
import type { GuardFlags } from '../flags.js'
import type { CliIo, Done } from '../io.js'

/** Adds `check` to the program. */
export function addCheck(program: Command, io: CliIo, done: Done): void {
  guarded(program.command('check'))
    .description('Judge a text, a conversation, or JSONL on standard input, exactly as the middleware would.')
    .argument('[text]', 'a user message')
    .option('-f, --file <path>', 'a file with one JSON conversation: a list of messages, or {"messages": [...]}')
    .addOption(
      new Option('--format <format>', 'table for people, json for programs')
        .choices(['table', 'json'])
        .default('table'),
    )
    .addHelpText(
      'after',
      `
Examples:
  $ npx express-llama-guard check "I forgot how to kill a process in Linux, can you help?"
  $ npx express-llama-guard check --file conversation.json --format json
  $ npx express-llama-guard check < prompts.jsonl && echo all safe`,
    )
    .action(async (text: string | undefined, flags: GuardFlags & { file?: string; format: 'table' | 'json' }) => {
      const { check } = await import('./index.js')
      const json = flags.file === undefined ? undefined : await readText(flags.file, io)
      // A terminal is not read, because a person would not know that the command waits for input.
      const stdin = io.stdin?.isTTY === true ? undefined : io.stdin
      done(await check({ text, json, stdin, format: flags.format, options: optionsOf(flags, io.env) }, io))
    })
}
