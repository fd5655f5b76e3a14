// The command line: flags in, one of the commands out. Everything a command does is in its own file; this one only reads arguments.
import { readFile } from 'node:fs/promises'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { BACKENDS, MODELS } from '../options.js'
import type { Options } from '../options.js'
import { EXIT } from './io.js'
import type { ExitCode, Io } from './io.js'
import { JUMPSTART_MODELS } from './jumpstart.js'

/** What `run` needs beside the streams: where JSONL comes from. */
export interface CliIo extends Io {
  readonly stdin?: AsyncIterable<string | Uint8Array> & { readonly isTTY?: boolean }
}

interface GuardFlags {
  backend?: Options['guard']
  endpoint?: string
  model?: Options['model']
  mode?: Options['mode']
  onError?: Options['onError']
  upstreamUrl?: string
  upstreamEndpoint?: string
}

const EXIT_CODES = `
Exit codes:
  0  done; check: everything is safe
  1  it did not work; check: something is unsafe
  2  wrong call or settings
  3  check: something could not be judged
  4  deploy, delete: still under way; run the same command again`

/** Runs one command line (without `node` and the script) and returns its exit code. Never ends the process. */
export async function run(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok
  const program = new Command('express-llama-guard')
    .description('Llama Guard in front of a chat model: a guarded gateway, checks from the command line, and the endpoint itself.')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({ writeOut: (text) => void io.stdout.write(text), writeErr: (text) => void io.stderr.write(text) })

  guarded(program.command('serve'))
    .description('Run a guarded OpenAI-compatible gateway: /v1/chat/completions, /v1/completions, /v1/responses, /v1/messages, /v1/moderations, /v1/models, /healthz, /readyz, /metrics.')
    .option('--upstream-url <url>', 'base URL of the chat API a safe request goes to; its key: LLAMA_GUARD_UPSTREAM_API_KEY')
    .option('--upstream-endpoint <name>', 'or a chat model on a SageMaker endpoint')
    .option('-p, --port <number>', 'port (0: a free one)', count(0), 8080)
    .option('--host <address>', 'address to listen on; 0.0.0.0 in a container', '127.0.0.1')
    .option('--cluster [processes]', 'one process per core, or so many', count(1))
    .option('--max-connections <number>', 'most open sockets per process', count(1), 10_000)
    .option('--drain-ms <ms>', 'how long replies may finish after SIGTERM', count(0), 25_000)
    .addHelpText('after', `
Examples:
  $ LLAMA_GUARD_ENDPOINT=llama-guard-3-8b LLAMA_GUARD_MODEL=llama-guard-3-8b \\
    npx express-llama-guard serve --upstream-url https://api.openai.com/v1
  $ npx express-llama-guard serve --upstream-endpoint llama-2-7b-chat --cluster
  $ npx express-llama-guard serve --backend local --upstream-url http://localhost:11434/v1`)
    .action(async (flags: GuardFlags & { port: number; host: string; cluster?: boolean | number; maxConnections: number; drainMs: number }) => {
      const { serve } = await import('./serve.js')
      const { port, host, cluster, maxConnections, drainMs } = flags
      code = await serve({ port, host, maxConnections, drainMs, ...(cluster !== undefined && { cluster }), options: optionsOf(flags, io.env) }, io)
    })

  guarded(program.command('check'))
    .description('Judge a text, a conversation, or JSONL on standard input, exactly as the middleware would.')
    .argument('[text]', 'a user message')
    .option('-f, --file <path>', 'a file with one JSON conversation: a list of messages, or {"messages": [...]}')
    .addOption(new Option('--format <format>', 'table for people, json for programs').choices(['table', 'json']).default('table'))
    .addHelpText('after', `
Examples:
  $ npx express-llama-guard check "I forgot how to kill a process in Linux, can you help?"
  $ npx express-llama-guard check --file conversation.json --format json
  $ npx express-llama-guard check < prompts.jsonl && echo all safe`)
    .action(async (text: string | undefined, flags: GuardFlags & { file?: string; format: 'table' | 'json' }) => {
      const { check } = await import('./check.js')
      const json = flags.file === undefined ? undefined : await readText(flags.file, io)
      // A terminal would wait for a person who does not know that we wait.
      const stdin = io.stdin?.isTTY === true ? undefined : io.stdin
      code = await check({ text, json, stdin, format: flags.format, options: optionsOf(flags, io.env) }, io)
    })

  program.command('doctor')
    .description('Go the way of a judgement step by step: settings, region, credentials, endpoint, container, examples. Each failure with its cure.')
    .option('--endpoint <name>', 'SageMaker endpoint (LLAMA_GUARD_ENDPOINT)')
    .addOption(new Option('--model <model>', 'guard model (LLAMA_GUARD_MODEL)').choices([...MODELS]))
    .option('--region <region>', 'AWS region (AWS_REGION)')
    .addHelpText('after', `
Example:
  $ npx express-llama-guard doctor --endpoint llama-guard-3-8b --model llama-guard-3-8b`)
    .action(async (flags: { endpoint?: string; model?: string; region?: string }) => {
      const { doctor } = await import('./doctor.js')
      code = await doctor(flags, io)
    })

  program.command('deploy')
    .description('Put a JumpStart model on a SageMaker endpoint. The endpoint is charged for until it is deleted.')
    .requiredOption('--model <model>', `${JUMPSTART_MODELS.map(({ aliases }) => aliases[0]).join(', ')}, or a JumpStart id`)
    .option('--accept-eula', "accept the model's licence, which the command prints without this flag")
    .option('--role <arn>', 'execution role of the endpoint (SAGEMAKER_EXECUTION_ROLE_ARN)')
    .option('--instance-type <type>', "default: the model's own")
    .option('--instance-count <number>', 'instances behind the endpoint', count(1), 1)
    .option('--endpoint <name>', "default: the model's short name")
    .option('--region <region>', 'AWS region (AWS_REGION)')
    .option('--tag <key=value>', 'a tag, repeatable', tag, {})
    .option('--no-wait', 'return while the endpoint is still being created')
    .addHelpText('after', `
Example:
  $ npx express-llama-guard deploy --model llama-guard-3-8b --accept-eula --instance-type ml.g5.4xlarge \\
    --role arn:aws:iam::123456789012:role/SageMakerRole`)
    .action(async ({ tag: tags, ...flags }: { model: string; acceptEula?: boolean; role?: string; instanceType?: string; instanceCount: number; endpoint?: string; region?: string; tag: Record<string, string>; wait: boolean }) => {
      const { deploy } = await import('./deploy.js')
      code = await deploy({ ...flags, tags }, io)
    })

  program.command('delete')
    .description('Delete an endpoint with the configuration and model that deploy made for it.')
    .requiredOption('--endpoint <name>', 'the endpoint')
    .option('--region <region>', 'AWS region (AWS_REGION)')
    .option('--all', 'also a configuration and models of another name')
    .addHelpText('after', `
Example:
  $ npx express-llama-guard delete --endpoint llama-guard-3-8b`)
    .action(async (flags: { endpoint: string; region?: string; all?: boolean }) => {
      const { deleteEndpoint } = await import('./delete.js')
      code = await deleteEndpoint(flags, io)
    })

  for (const command of program.commands) command.copyInheritedSettings(program)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  }
}

/** The flags that choose the guard, over the variables that do. */
function guarded(command: Command): Command {
  return command
    .addOption(new Option('--backend <backend>', 'where the guard model runs (LLAMA_GUARD_BACKEND)').choices([...BACKENDS]))
    .option('--endpoint <name>', 'SageMaker endpoint of the guard (LLAMA_GUARD_ENDPOINT)')
    .addOption(new Option('--model <model>', 'guard model (LLAMA_GUARD_MODEL)').choices([...MODELS]))
    .addOption(new Option('--mode <mode>', 'shadow judges and blocks nothing (LLAMA_GUARD_MODE)').choices(['enforce', 'shadow']))
    .addOption(new Option('--on-error <policy>', 'open lets through what could not be judged (LLAMA_GUARD_ON_ERROR)').choices(['closed', 'open']))
}

function optionsOf({ backend, endpoint, model, mode, onError, upstreamUrl, upstreamEndpoint }: GuardFlags, env: Io['env']): Options {
  const apiKey = env['LLAMA_GUARD_UPSTREAM_API_KEY']
  const upstream = upstreamUrl !== undefined ? { url: upstreamUrl, ...(apiKey && { apiKey }) } : upstreamEndpoint !== undefined ? { endpoint: upstreamEndpoint } : undefined
  return Object.fromEntries(Object.entries({ guard: backend, endpoint, model, mode, onError, upstream }).filter(([, value]) => value !== undefined))
}

function count(least: number): (text: string) => number {
  return (text) => {
    if (!/^\d{1,9}$/.test(text) || Number(text) < least) throw new InvalidArgumentError(`A whole number from ${least} is wanted.`)
    return Number(text)
  }
}

function tag(text: string, tags: Record<string, string>): Record<string, string> {
  const [, key, value] = /^([^=]{1,128})=(.{0,256})$/.exec(text) ?? []
  if (key === undefined || value === undefined) throw new InvalidArgumentError('Write it as key=value.')
  return { ...tags, [key]: value }
}

async function readText(path: string, io: Io): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    io.stderr.write(`The file ${path} cannot be read.\n`)
    throw new CommanderError(EXIT.usage, 'file', `The file ${path} cannot be read.`)
  }
}
