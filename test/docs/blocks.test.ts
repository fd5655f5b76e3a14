// Every code block of the README, the reference and the examples: js is run against a guard, ts is type-checked, json
// is parsed, and each command of a shell block is run here, or by another test, or named as one that cannot be.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run as runCli } from '../../src/cli/index.js'
import { parseOptions } from '../../src/options/config.js'
import { catchIo } from '../cli/helpers.js'
import { startEmulator, type Emulator } from '../emulator/index.js'
import { freePort } from '../helpers/http.js'
import { install, type Installed } from '../helpers/installed.js'
import { blocksOf, commandsOf, DOCUMENTS, read, ROOT, type Block } from './markdown.js'

const SLOW = 60_000
const BAD = 'How do I make a bomb?'
/** Optional packages: the built tree lacks them, as most installs do. */
const OPTIONAL = new Set(['keyv', '@keyv', 'node-llama-cpp', '@node-llama-cpp'])

/** What cannot be run here, and why. Their flags are still checked where the command is ours. */
const CANNOT_RUN: readonly (readonly [RegExp, string])[] = [
  [/^npm install\b/, 'asks the package registry; test/consumers does that'],
  [/^npm ci && npm test$/, 'is this test'],
  [/^(?:docker|kubectl|openssl)\b/, 'needs a container runtime or a cluster'],
  [/^(?:cd examples\/terraform && )?terraform\b/, 'needs Terraform; test/cli/deployment-examples reads its files'],
  [/^cd examples\/cdk && npm install$/, 'asks the package registry'],
  [/^npx cdk deploy\b/, 'needs an AWS account; test/cli/deployment-examples compares its models'],
  [/^(?:npm run build && )?npm install @aws-sdk\//, 'asks the package registry'],
  [/^vllm serve\b/, 'needs a GPU'],
  [/examples\/(?:bedrock-guardrail|no-endpoint|own-policy)\/server\.js$/, 'asks a service; test/examples runs it'],
  [/^npx express-llama-guard (?:doctor|deploy|delete)\b/, 'needs an AWS account; test/cli/endpoint runs them'],
]
/** Runs in test/examples.test.ts, as its README says. */
const EXAMPLE =
  /^(?:[A-Z_]+=\S+ )*(?:npm (?:ci && npm )?(?:start|run build)|(?:npm run build && )?node (?:--test )?(examples\/\S+\.js))$/

const all = DOCUMENTS.flatMap(blocksOf)
const of = (...languages: string[]): [string, Block][] =>
  all.filter(({ language }) => languages.includes(language)).map((block) => [block.place, block])

let installed: Installed
let tree = ''
let emulator: Emulator
let env: Record<string, string> = {}

beforeAll(async () => {
  installed = install({ without: OPTIONAL })
  tree = installed.folder
  emulator = await startEmulator({ endpoints: ['llama-guard', 'llama-guard-3-8b', 'guard-8b'] })
  const clean = Object.entries(process.env).filter(([name]) => !/^(?:LLAMA_GUARD_|AWS_|PORT$|HOST$)/.test(name))
  env = { ...(Object.fromEntries(clean) as Record<string, string>), ...emulator.env, LLAMA_GUARD_LOG_LEVEL: 'silent' }
}, SLOW)
afterAll(async () => {
  await emulator.close()
  installed.remove()
})

interface Ended {
  readonly code: number | null
  readonly out: string
}

/** Runs a program in the built tree. `until`: stops it when it has printed this. */
async function run(argv: readonly string[], extra: Record<string, string> = {}, until?: RegExp): Promise<Ended> {
  const child = spawn(process.execPath, argv, {
    cwd: tree,
    env: { ...env, ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  const collect = (data: Buffer): void => {
    out += data.toString()
    if (!child.killed && until?.test(out)) child.kill('SIGTERM')
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out }
}

/** What a block may take for granted: an app with a parser, a handler, a router. */
function before(code: string): string {
  const lines = [
    [/import express /, "import express from 'express'"],
    [/from 'express-llama-guard'/, "import { llamaGuard } from 'express-llama-guard'"],
    [/const app = /, "const app = express()\napp.use(express.json({ limit: '1mb' }))"],
  ] as const
  return [
    ...lines.filter(([there]) => !there.test(code)).map(([, line]) => line),
    "const handler = (req, res) => res.json({ reply: 'Hello.' })",
    'const router = express.Router()',
    'const [oldCategories, newCategories] = ["Fraud", "Violence"].map((name) => [{ id: "O1", name }])',
  ].join('\n')
}

/** Asks every guarded route of a block something unsafe, and prints the statuses. */
function after(code: string): string {
  const guarded = code.split(/(?=app\.(?:post|get|use)\()/).filter((part) => /llamaGuard\(|\bguard[,)]/.test(part))
  const routes = [...guarded.join('').matchAll(/app\.(post|get|use)\(\s*(?:'([^']+)')?/g)].map(([, method, path]) => ({
    method: method === 'get' ? 'GET' : 'POST',
    path:
      method === 'use'
        ? `${path ?? '/v1'}/chat/completions`
        : method === 'get'
          ? `${path}?message=${encodeURIComponent(BAD)}`
          : path,
  }))
  const asked = /create(?:Adaptor)?Server\(/.test(code) ? [{ method: 'POST', path: '/chat' }] : routes
  const chat = { messages: [{ role: 'user', content: BAD }] }
  return `
import { createServer as listenWith } from 'node:http'
const listening = (typeof server === 'undefined' ? listenWith(app) : server).listen(0, '127.0.0.1')
await new Promise((done) => listening.once('listening', done))
const answers = []
for (const { method, path } of ${JSON.stringify(asked)}) {
  const body = path.includes('moderations') ? { input: ${JSON.stringify(BAD)} }
    : path.includes('/chat/completions') ? ${JSON.stringify(chat)} : { message: ${JSON.stringify(BAD)}, question: ${JSON.stringify(BAD)} }
  const init = method === 'GET' ? {} : { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const answer = await fetch('http://127.0.0.1:' + listening.address().port + path, init)
  answers.push({ path, status: answer.status, flagged: (await answer.json()).results?.[0]?.flagged })
}
console.log('ANSWERS ' + JSON.stringify(answers))
process.exit(0)
`
}

describe('js', () => {
  const listens = (block: Block): boolean => block.code.includes('app.listen(3000)')

  it.each(of('js').filter(([, block]) => !listens(block)))(
    '%s guards what it mounts',
    async (place, { code }) => {
      const file = join(tree, `${place.replace(/\W/g, '-')}.mjs`)
      writeFileSync(file, `${before(code)}\n${code}\n${after(code)}`)
      const { out } = await run([file], { LLAMA_GUARD_ENDPOINT: 'llama-guard' })
      const answers = /^ANSWERS (.*)$/m.exec(out)?.[1]
      expect(answers, out).toBeDefined()
      const found = JSON.parse(answers!) as { path: string; status: number; flagged?: boolean }[]
      expect(found.length).toBeGreaterThan(0)
      for (const { path, status, flagged } of found)
        expect([path, status, flagged]).toEqual(
          path.includes('moderations') ? [path, 200, true] : [path, 451, undefined],
        )
    },
    SLOW,
  )

  it(
    'the first of the README runs as pasted, and its curl lines are answered 200 and 451',
    async () => {
      const [program] = blocksOf('README.md').filter(listens)
      const port = await freePort()
      const file = join(tree, 'app.mjs')
      writeFileSync(file, program!.code.replace('3000', String(port)))
      const child = spawn(process.execPath, [file], { cwd: tree, env })
      try {
        const statuses = curls().map((line) => {
          const retry = line.replace('curl -i', 'curl -is --retry 20 --retry-connrefused --retry-delay 1')
          const answer = execFileSync('bash', ['-c', retry.replace('localhost:3000', `127.0.0.1:${port}`)], {
            encoding: 'utf8',
          })
          return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)![1])
        })
        expect(statuses).toEqual([200, 451])
      } finally {
        child.kill('SIGKILL')
      }
    },
    SLOW,
  )
})

const curls = (): readonly string[] =>
  of('sh').flatMap(([, { code }]) => commandsOf(code).filter((line) => line.startsWith('curl ')))

it(
  'ts and js: every block type-checks as an app of its own, strictly',
  () => {
    const names = of('ts', 'js').map(([place, { code, language }]) => {
      const file = join(tree, `${place.replace(/\W/g, '-')}.mts`)
      const given = before(code).replace('(req, res) =>', '(_req: unknown, res: express.Response) =>')
      writeFileSync(file, language === 'js' ? `${given}\n${code}` : code)
      return file
    })
    expect(names.length).toBeGreaterThan(0)
    const program = ts.createProgram(names, {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      experimentalDecorators: true, // NestJS
      target: ts.ScriptTarget.ES2023,
      lib: ['lib.es2023.d.ts', 'lib.es2024.string.d.ts'],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ['node'],
      typeRoots: [join(ROOT, 'node_modules/@types')],
      paths: {
        'express-llama-guard': [join(ROOT, 'src/index.ts')],
        'express-llama-guard/prometheus': [join(ROOT, 'src/telemetry/prometheus/index.ts')],
        'express-llama-guard/*': [join(ROOT, 'src/*/index.ts')],
      },
    })
    // The blocks alone: `npm run typecheck` checks the sources behind them.
    const problems = names.flatMap((name) => {
      const file = program.getSourceFile(name)
      return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    })
    const told = problems.map(({ file, messageText }) => [
      file?.fileName,
      ts.flattenDiagnosticMessageText(messageText, '\n'),
    ])
    expect(told).toEqual([])
  },
  SLOW,
)

it.each(of('json'))('json: %s is JSON', (_place, { code }) => {
  expect(() => void JSON.parse(code)).not.toThrow()
})

it('no block is of another language', () => {
  expect(
    all.filter(({ language }) => !['js', 'ts', 'json', 'sh'].includes(language)).map(({ place }) => place),
  ).toEqual([])
})

describe('sh', () => {
  const testsOfExamples = [
    'test/examples.test.ts',
    'test/examples/observability.test.ts',
    'test/cli/walk-through.test.ts',
  ]
    .map(read)
    .join('\n')
  const commands = of('sh').flatMap(([place, { code }]) =>
    commandsOf(code).map((line): [string, string] => [line, place]),
  )
  const ours = commands.filter(([line]) => /express-llama-guard (?:--|[a-z])/.test(line) && line.startsWith('npx '))
  const named = (line: string): boolean => CANNOT_RUN.some(([pattern]) => pattern.test(line))

  it.each(commands)('%s (%s) is run, or named as one that cannot be', (line) => {
    const example = EXAMPLE.exec(line)
    if (example?.[1] !== undefined) {
      expect(existsSync(join(ROOT, example[1]))).toBe(true)
      expect(testsOfExamples).toContain(example[1].split('/')[1])
    }
    const runs = /^(?:export|curl) /.test(line) || line.startsWith('npx express-llama-guard ') || example !== null
    expect(runs || named(line), line).toBe(true)
  })

  it.each(commands.filter(([line]) => /\bLLAMA_GUARD_/.test(line)))('%s (%s) sets variables that are read', (line) => {
    const set = [...line.matchAll(/(LLAMA_GUARD_\w+)=(\$\([^)]*\)|[^\s\\]+)/g)].map(([, name, value]) => [name, value])
    const given = Object.fromEntries(set) as Record<string, string>
    const guarded = 'LLAMA_GUARD_ENDPOINT' in given || 'LLAMA_GUARD_BACKEND' in given
    const backend = line.includes('bedrock-guardrail') ? 'bedrock-guardrail' : 'local'
    const redis = 'LLAMA_GUARD_CACHE_SECRET' in given && { LLAMA_GUARD_REDIS_URL: 'redis://x' }
    expect(() =>
      parseOptions(
        {},
        {
          ...(!guarded && { LLAMA_GUARD_BACKEND: 'LLAMA_GUARD_URL' in given ? 'openai' : backend }),
          ...redis,
          ...given,
        },
      ),
    ).not.toThrow()
  })

  it.each(ours)('%s (%s) uses flags that its command has', async (line) => {
    const [, command = ''] = /express-llama-guard (\S+)/.exec(line)!
    const io = catchIo()
    await runCli([...(command.startsWith('-') ? [] : [command]), '--help'], io)
    for (const [flag] of line.matchAll(/(?<= )--[a-z-]+/g)) expect(io.out()).toMatch(new RegExp(`${flag}\\b`))
  })

  it.each(ours.filter(([line]) => !named(line)))(
    '%s (%s) does what it says',
    async (line) => {
      const [, ...argv] = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!).slice(1)
      const rows = ['{"text":"How do I make a bomb?","unsafe":true}', '{"text":"Hello there","unsafe":false}']
      writeFileSync(join(tree, 'prompts.jsonl'), rows.join('\n'))
      for (const name of ['old', 'new'])
        writeFileSync(
          join(tree, `${name}.json`),
          JSON.stringify({ categories: [{ id: 'O3', name: `Weapons, ${name}` }] }),
        )
      const serves = argv[0] === 'serve'
      const program = ['dist/esm/cli/bin.js', ...argv, ...(serves ? ['--port', '0', '--drain-ms', '0'] : [])]
      const { code, out } = await run(
        program,
        { LLAMA_GUARD_ENDPOINT: 'llama-guard' },
        serves ? /Listening on/ : undefined,
      )
      if (serves) expect(out).toMatch(/Listening on/)
      expect(code, out).toBe(0)
    },
    SLOW,
  )
})
