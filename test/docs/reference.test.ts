// The documents against the code: every option, variable, default, error code, dialect, reason and link they name.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BUILT_IN } from '../../src/dialects/index.js'
import { LlamaGuardError, type ErrorCode } from '../../src/types/errors.js'
import { MODELS } from '../../src/options/index.js'
import { OPTION_NAMES, parseOptions, REQUEST_OPTION_NAMES, VARIABLES } from '../../src/options/config.js'
import { OTHER_VARIABLES } from '../../src/options/sources.js'
import { anchorsOf, DOCUMENTS, linksOf, read, ROOT, rowsOf, section } from './markdown.js'

const reference = read('REFERENCE.md')
const code = (cell: string): string => cell.replaceAll('`', '')

describe('the table of options', () => {
  const rows = rowsOf(section(reference, '## Options')).filter(([name]) => name?.startsWith('`'))
  const guard = { judge: async () => ({ safe: true, categories: [] }) }
  const defaults: Readonly<Record<string, unknown>> = { ...parseOptions({ guard }, {}), guard: 'sagemaker' }

  it('has a row for every option, and no other', () => {
    expect(rows.map(([name]) => code(name!)).sort()).toEqual([...OPTION_NAMES].sort())
  })

  it.each(rows)('gives %s its variable and its default', (name, variable, fallback) => {
    const option = code(name!)
    const known = option === 'policy' ? 'POLICY' : VARIABLES.get(option)
    expect(code(variable!)).toBe(known === undefined ? '' : `LLAMA_GUARD_${known}`)
    const value = defaults[option] as string | number | boolean | readonly string[] | undefined
    expect(code(fallback!)).toBe(value === undefined ? 'none' : String(value))
  })

  it('marks what override(req) may change', () => {
    const marked = rows
      .filter(([, , , text]) => /; (?:`actions` and `url`: )?`req`$/.test(text!))
      .map(([name]) => code(name!))
    expect(marked.sort()).toEqual([...REQUEST_OPTION_NAMES].sort())
  })

  it('names every model, and the variables that are no option', () => {
    expect(MODELS.filter((model) => !rows.some(([, , , text]) => text!.includes(`\`${model}\``)))).toEqual([])
    for (const name of [...OTHER_VARIABLES, ...VARIABLES.values()])
      expect(reference).toContain(`\`LLAMA_GUARD_${name}\``)
  })
})

it('what messages and comments tell to write is an option', () => {
  const files = execFileSync('git', ['ls-files', 'src/*.ts'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')
  const told = files.flatMap((file) =>
    [...read(file).matchAll(/(?:llamaGuard|createGuard)\(\{ (\w+)/g)].map(([, name]) => `${name} in ${file}`),
  )
  expect(told.length).toBeGreaterThan(3)
  expect(told.filter((each) => !OPTION_NAMES.includes(each.split(' ')[0] as never))).toEqual([])
})

describe('every error', () => {
  const source = read('src/types/errors.ts')
  const codes = [
    ...[...source.matchAll(/^ {2}(\w+): (?:'|\d)/gm)].map(([, name]) => name!),
    ...[.../ConfigurationCode =([^\n]*\n[^\n]*)/.exec(source)![1]!.matchAll(/'(\w+)'/g)].map(([, name]) => name!),
  ] as ErrorCode[]

  it('is known by its code, and the reference has no other', () => {
    expect(codes.length).toBeGreaterThan(20)
    const sections = [...reference.matchAll(/^#### `(\w+)`$/gm)].map(([, name]) => name)
    expect(sections.sort()).toEqual([...codes].sort())
  })

  it.each(codes)('%s links to its section, which says its status', (name) => {
    const error = new LlamaGuardError(name)
    const { repository } = JSON.parse(read('package.json')) as { repository: { url: string } }
    const home = repository.url.replace(/^git\+|\.git$/g, '')
    expect(error.help).toBe(`${home}/blob/main/REFERENCE.md#${name}`)
    expect(anchorsOf(reference)).toContain(name)
    const group =
      error.status === 503
        ? '### Could not judge: 503'
        : error.status < 500
          ? "### The client's own mistake: 4xx"
          : '### Wrong settings: thrown at the start'
    const text = section(reference, group)
    expect(text).toContain(`#### \`${name}\`\n`)
    if (error.status < 500) expect(section(text, `#### \`${name}\``)).toMatch(new RegExp(`^${error.status}\\.`))
  })
})

it('every dialect stands in the table with its paths', () => {
  const rows = rowsOf(section(reference, '### Dialects')).map((cells) => cells.slice(0, 2).map(code))
  expect(rows.slice(2)).toEqual(BUILT_IN.map(({ name, paths }) => [name, paths.join(', ')]))
})

it('every reason for not judging stands in the table', () => {
  const [, union] = /type NotJudgedReason =([\s\S]*?)\n\n/.exec(read('src/types/decision.ts'))!
  const reasons = [...union!.matchAll(/'([\w-]+)'/g)].map(([, reason]) => reason)
  expect(rowsOf(section(reference, '## Events')).map(([cell]) => code(cell!))).toEqual(expect.arrayContaining(reasons))
})

const MIDDLEWARE =
  'CHANNELS LlamaGuardError anyUnsafe createGuard customDialect isLlamaGuardError llamaGuard moderations redisStore'
it.each([
  ['', MIDDLEWARE],
  ['fetch/', 'guardFetch'],
  ['telemetry/prometheus/', 'metrics'],
  ['telemetry/otel/', 'instrument'],
  ['testing/', 'fakeGuard sageMakerEmulator'],
])('src/%sindex.ts exports what the reference names, and nothing else', async (folder, names) => {
  const entry = (await import(join(ROOT, `src/${folder}index.ts`))) as object
  expect(Object.keys(entry).sort().join(' ')).toBe(names)
  for (const name of names.split(' ')) expect(reference).toMatch(new RegExp(`\\b${name}\\b`))
})

it('the README is a landing page, and the reference can be read in one sitting', () => {
  const words = (file: string): number => read(file).trim().split(/\s+/).length
  expect(words('README.md')).toBeLessThanOrEqual(1200)
  expect(words('REFERENCE.md')).toBeLessThanOrEqual(5000)
})

describe('links', () => {
  const documents = [
    ...DOCUMENTS,
    'SECURITY.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'examples/README.md',
    'test/bench/README.md',
  ]

  it.each([...new Set(documents)])('of %s lead somewhere, and work wherever the repository lives', (document) => {
    for (const link of linksOf(read(document))) {
      expect(link).not.toMatch(/express-llama-guard\/(?:blob|tree)\/main/)
      const [path, anchor] = relativePath(document, link)
      if (path === undefined) continue
      expect(existsSync(join(ROOT, path)), `${document} links to ${link}`).toBe(true)
      if (anchor !== undefined) expect(anchorsOf(read(path)), `${document} links to ${link}`).toContain(anchor)
    }
  })
})

function relativePath(document: string, link: string): readonly [string?, string?] {
  if (/^[a-z]+:/.test(link)) return []
  const [path, anchor] = link.split('#')
  return [path === '' ? document : normalize(join(dirname(document), path!)), anchor]
}

it('the documents are packed, and the examples are not', () => {
  const out = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: ROOT, encoding: 'utf8' })
  const [{ files }] = JSON.parse(out) as [{ files: { path: string }[] }]
  const outside = files.map(({ path }) => path).filter((path) => !path.startsWith('dist/'))
  expect(outside.sort()).toEqual(
    `CHANGELOG.md LICENSE README.md REFERENCE.md SECURITY.md package.json
  src/guard/backends/local/MODEL_CARD.md`.split(/\s+/),
  )
  // npm pack takes seconds on a busy machine.
}, 60_000)
