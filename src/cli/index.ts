// The command line: flags in, one of the commands out. Everything a command does is in its own file; this one
// only reads arguments.
import { Command, CommanderError, Option } from 'commander'
import { MODELS } from '../options/index.js'
import type { EvaluateFlags } from './eval/index.js'
import { acting, amount, count, guarded, optionsOf, readText, share, tag } from './flags.js'
import type { GuardFlags } from './flags.js'
import { EXIT } from './io.js'
import type { ExitCode, Io } from './io.js'
import { JUMPSTART_MODELS } from './endpoint/jumpstart.js'

/** What `run` needs beside the streams: where JSONL comes from. */
export interface CliIo extends Io {
  readonly stdin?: AsyncIterable<string | Uint8Array> & { readonly isTTY?: boolean }
}

const EXIT_CODES = `
Exit codes:
  0    done; check: everything is safe
  1    it did not work; check: something is unsafe
  2    wrong call or settings
  3    check, eval: something could not be judged
  4    not finished: an endpoint is still being made or deleted, eval was interrupted; run the same command again
  130  ended by a second Ctrl-C`

/** Runs one command line (without `node` and the script) and returns its exit code. Never ends the process. */
export async function run(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok
  const program = new Command('express-llama-guard')
    .description(
      'Llama Guard in front of a chat model: a guarded gateway, checks from the command line, and the endpoint itself.',
    )
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({ writeOut: (text) => void io.stdout.write(text), writeErr: (text) => void io.stderr.write(text) })

  acting(guarded(program.command('serve')))
    .description(
      'Run a guarded OpenAI-compatible gateway: /v1/chat/completions, /v1/completions, /v1/responses, ' +
        '/v1/messages, /v1/moderations, /v1/models, /healthz, /readyz, /metrics.',
    )
    .option(
      '--upstream-url <url>',
      'base URL of the chat API a safe request goes to; its key: LLAMA_GUARD_UPSTREAM_API_KEY',
    )
    .option('--upstream-endpoint <name>', 'or a chat model on a SageMaker endpoint')
    .option('-p, --port <number>', 'port (0: a free one)', count(0), 8080)
    .option('--host <address>', 'address to listen on; 0.0.0.0 in a container', '127.0.0.1')
    .option('--cluster [processes]', 'one process per core, or so many', count(1))
    .option('--max-connections <number>', 'most open sockets per process', count(1), 10_000)
    .option('--drain-ms <ms>', 'how long replies may finish after SIGTERM', count(0), 25_000)
    .addHelpText(
      'after',
      `
Examples:
  $ LLAMA_GUARD_ENDPOINT=llama-guard-3-8b LLAMA_GUARD_MODEL=llama-guard-3-8b \\
    npx express-llama-guard serve --upstream-url https://api.openai.com/v1
  $ npx express-llama-guard serve --upstream-endpoint llama-2-7b-chat --cluster
  $ npx express-llama-guard serve --backend local --upstream-url http://localhost:11434/v1`,
    )
    .action(
      async (
        flags: GuardFlags & {
          port: number
          host: string
          cluster?: boolean | number
          maxConnections: number
          drainMs: number
        },
      ) => {
        const { serve } = await import('./gateway/serve.js')
        const { port, host, cluster, maxConnections, drainMs } = flags
        code = await serve(
          {
            port,
            host,
            maxConnections,
            drainMs,
            ...(cluster !== undefined && { cluster }),
            options: optionsOf(flags, io.env),
          },
          io,
        )
      },
    )

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
      const { check } = await import('./check/index.js')
      const json = flags.file === undefined ? undefined : await readText(flags.file, io)
      // A terminal would wait for a person who does not know that we wait.
      const stdin = io.stdin?.isTTY === true ? undefined : io.stdin
      code = await check({ text, json, stdin, format: flags.format, options: optionsOf(flags, io.env) }, io)
    })

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
    .option('--against <guard>', 'a second guard on the same texts: a backend, a model, or model/endpoint')
    .option('--concurrency <number>', 'judgements in flight', count(1), 8)
    .option('--attempts <number>', 'tries per text', count(1), 3)
    .option('--resume <path>', 'remember verdicts here (no texts), and go on from it')
    .option('--report <path>', 'write an HTML report, which holds the texts')
    .option(
      '--target-fpr <share>',
      'share of safe texts that may be flagged, for the recommended threshold',
      share,
      0.03,
    )
    .option('--dollars-per-hour <price>', 'price of the endpoint, for the estimate', amount)
    .option('--expected-ms <ms>', 'time of one judgement, for the estimate', count(1), 250)
    .option('--dry-run', 'say what it would take, and stop')
    .option(
      '--batch <s3-uri>',
      'judge by a SageMaker Batch Transform job: run the same command again after each step it names',
    )
    .option('--start', 'with --batch: the input is uploaded, start the job (costs money)')
    .option('--sagemaker-model <name>', 'with --batch: the SageMaker model to run')
    .option('--instance-type <type>', 'with --batch (ml.g5.2xlarge)')
    .option('--instance-count <number>', 'with --batch: instances, each with an input file of its own', count(1), 1)
    .option('--batch-folder <path>', 'with --batch: where the input and output files lie; they hold the texts', '.')
    .addHelpText(
      'after',
      `
Examples:
  $ npx express-llama-guard eval prompts.jsonl --backend local --report report.html
  $ npx express-llama-guard eval toxic-chat.csv --dry-run --dollars-per-hour 1.41 --concurrency 16
  $ npx express-llama-guard eval xstest.csv --endpoint guard-8b --model llama-guard-3-8b --resume xstest.state --against local
  $ npx express-llama-guard eval tickets.csv --text message --label verdict --unsafe-value bad
  $ npx express-llama-guard eval huge.jsonl --model llama-guard-3-8b --batch s3://my-bucket/guard --sagemaker-model guard-8b --start`,
    )
    .action(async (files: string[], flags: GuardFlags & EvaluateFlags) => {
      const { evaluate } = await import('./eval/index.js')
      code = await evaluate(files, flags, optionsOf(flags, io.env), io)
    })

  program
    .command('doctor')
    .description(
      'Go the way of a judgement step by step: settings, region, credentials, endpoint, container, ' +
        'examples. Each failure with its cure.',
    )
    .option('--endpoint <name>', 'SageMaker endpoint (LLAMA_GUARD_ENDPOINT)')
    .addOption(new Option('--model <model>', 'guard model (LLAMA_GUARD_MODEL)').choices([...MODELS]))
    .option('--region <region>', 'AWS region (AWS_REGION)')
    .addHelpText(
      'after',
      `
Example:
  $ npx express-llama-guard doctor --endpoint llama-guard-3-8b --model llama-guard-3-8b`,
    )
    .action(async (flags: { endpoint?: string; model?: string; region?: string }) => {
      const { doctor } = await import('./endpoint/doctor.js')
      code = await doctor(flags, io)
    })

  program
    .command('deploy')
    .description('Put a JumpStart model on a SageMaker endpoint. The endpoint is charged for until it is deleted.')
    .requiredOption(
      '--model <model>',
      `${JUMPSTART_MODELS.map(({ aliases }) => aliases[0]).join(', ')}, or a JumpStart id`,
    )
    .option('--accept-eula', "accept the model's licence, which the command prints without this flag")
    .option('--role <arn>', 'execution role of the endpoint (SAGEMAKER_EXECUTION_ROLE_ARN)')
    .option('--instance-type <type>', "default: the model's own")
    .option('--instance-count <number>', 'instances behind the endpoint', count(1), 1)
    .option('--endpoint <name>', "default: the model's short name")
    .option('--region <region>', 'AWS region (AWS_REGION)')
    .option('--tag <key=value>', 'a tag, repeatable', tag, {})
    .option('--no-wait', 'return while the endpoint is still being created')
    .addHelpText(
      'after',
      `
Example:
  $ npx express-llama-guard deploy --model llama-guard-3-8b --accept-eula --instance-type ml.g5.4xlarge \\
    --role arn:aws:iam::123456789012:role/SageMakerRole`,
    )
    .action(
      async ({
        tag: tags,
        ...flags
      }: {
        model: string
        acceptEula?: boolean
        role?: string
        instanceType?: string
        instanceCount: number
        endpoint?: string
        region?: string
        tag: Record<string, string>
        wait: boolean
      }) => {
        const { deploy } = await import('./endpoint/deploy.js')
        code = await deploy({ ...flags, tags }, io)
      },
    )

  program
    .command('delete')
    .description('Delete an endpoint with the configuration and model that deploy made for it.')
    .requiredOption('--endpoint <name>', 'the endpoint')
    .option('--region <region>', 'AWS region (AWS_REGION)')
    .option('--all', 'also a configuration and models of another name')
    .addHelpText(
      'after',
      `
Example:
  $ npx express-llama-guard delete --endpoint llama-guard-3-8b`,
    )
    .action(async (flags: { endpoint: string; region?: string; all?: boolean }) => {
      const { deleteEndpoint } = await import('./endpoint/delete.js')
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
