// `serve` on the command line: its flags and their help.
import { type Command, Option } from 'commander'
import { count, guarded } from '../flags.js'
import type { CliIo, Done } from '../io.js'
import type { ServeFlags } from './serve.js'

/** Adds `serve` to the program. */
export function addServe(program: Command, io: CliIo, done: Done): void {
  guarded(program.command('serve'))
    .description(
      'Run a guarded OpenAI-compatible gateway: /v1/chat/completions, /v1/completions, /v1/responses, ' +
        '/v1/messages, /v1/moderations, /v1/models, /healthz, /readyz, /metrics. With an upstream URL that ' +
        'speaks them also the paths of other APIs: /api/chat of Ollama, /v2/chat of Cohere, ' +
        ':generateContent of Gemini, /converse of Bedrock.',
    )
    .addOption(
      new Option('--mode <mode>', 'shadow judges and blocks nothing (LLAMA_GUARD_MODE)').choices(['enforce', 'shadow']),
    )
    .addOption(
      new Option('--on-error <policy>', 'open lets through what could not be judged (LLAMA_GUARD_ON_ERROR)').choices([
        'closed',
        'open',
      ]),
    )
    .option(
      '--upstream-url <url>',
      'base URL of the chat API a safe request goes to; its key: LLAMA_GUARD_UPSTREAM_API_KEY',
    )
    .option('--upstream-endpoint <name>', 'or a chat model on a SageMaker endpoint')
    .option('-p, --port <number>', 'port (0: a free one)', count(0, 65_535), 8080)
    .option('--host <address>', 'address to listen on; 0.0.0.0 in a container', '127.0.0.1')
    .option(
      '--dashboard',
      'a live page at /dashboard, for this machine alone unless LLAMA_GUARD_DASHBOARD_TOKEN is set',
    )
    .option('--playground', 'with a form on it that judges texts of your own')
    .option('--drain-ms <ms>', 'how long replies may finish after SIGTERM', count(0), 25_000)
    .addHelpText(
      'after',
      `
Examples:
  $ LLAMA_GUARD_ENDPOINT=llama-guard-3-8b LLAMA_GUARD_MODEL=llama-guard-3-8b \\
    npx express-llama-guard serve --upstream-url https://api.openai.com/v1
  $ npx express-llama-guard serve --upstream-endpoint llama-2-7b-chat
  $ npx express-llama-guard serve --guard local --upstream-url http://localhost:11434/v1`,
    )
    .action(async (flags: ServeFlags) => {
      const { serve } = await import('./serve.js')
      done(await serve(flags, io))
    })
}
