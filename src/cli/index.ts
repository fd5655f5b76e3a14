// The command line: arguments in, one command run, its exit code out. Each command reads its own flags.
import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { addAudit } from './audit/command.js'
import { addCheck } from './check/command.js'
import { addDelete, addDeploy, addDoctor } from './endpoint/commands.js'
import { addEval } from './eval/command.js'
import { addServe } from './gateway/command.js'
import { isLlamaGuardError } from '../types/errors.js'
import { type CliIo, EXIT, type ExitCode, painter } from './io.js'

export type { CliIo } from './io.js'

const EXIT_CODES = `
Exit codes:
  0    done; check: everything is safe
  1    check: something is unsafe; audit verify: there is a gap; eval: a number is beyond its --least or --most
  2    wrong call or settings
  3    it failed, could not be judged, or is not finished: the last line says which
  130  ended by a second Ctrl-C`

/**
 * Runs one command line (without `node` and the script) and returns its exit code. Never ends the process. An error of
 * ours, such as a wrong setting, is told here; a command throws it.
 */
export async function run(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok
  const program = new Command('express-llama-guard')
    .description(
      'Llama Guard in front of a chat model: a guarded gateway, checks from the command line, and the endpoint itself.',
    )
    .version(packageVersion(), '--version', 'print the version of the package')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({ writeOut: (text) => void io.stdout.write(text), writeErr: (text) => void io.stderr.write(text) })
  for (const add of [addServe, addCheck, addEval, addAudit, addDoctor, addDeploy, addDelete])
    add(program, io, (result) => (code = result))
  for (const command of program.commands) command.copyInheritedSettings(program)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    if (!isLlamaGuardError(error)) throw error
    io.stderr.write(`${painter(io.stderr, io.env)('red', `${error.code}: ${error.message}`)}\n`)
    return EXIT.usage
  }
}

/** The package finds itself by its own name, from `src` as from `dist`. */
function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('express-llama-guard/package.json') as { version: string }
  return version
}
