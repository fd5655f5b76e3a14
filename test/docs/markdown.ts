// What the tests of the documents read in them: code blocks, tables, links and anchors.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')
export const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

export interface Block {
  /** File and line, to find it by. */
  readonly place: string
  readonly language: string
  readonly code: string
}

/** Every document of the repository whose code blocks are run. */
export const DOCUMENTS: readonly string[] = [
  'README.md',
  'REFERENCE.md',
  ...readdirSync(join(ROOT, 'examples'))
    .map((name) => `examples/${name}/README.md`)
    .filter((name) => existsSync(join(ROOT, name))),
]

/** Fenced code blocks, those in lists too. */
export function blocksOf(file: string): readonly Block[] {
  const found: Block[] = []
  let open:
    { readonly line: number; readonly indent: number; readonly language: string; readonly code: string[] } | undefined
  for (const [index, line] of read(file).split('\n').entries()) {
    const fence = /^(\s*)```(\S*)\s*$/.exec(line)
    if (fence === null) open?.code.push(line.slice(open.indent))
    else if (open === undefined) open = { line: index + 1, indent: fence[1]!.length, language: fence[2]!, code: [] }
    else {
      found.push({
        place: `${relative(ROOT, join(ROOT, file))}:${open.line}`,
        language: open.language,
        code: open.code.join('\n'),
      })
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`${file}:${open.line}: a code block without an end`)
  return found
}

/** The cells of every table row, code marks removed. */
export function rowsOf(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
}

/** The part of a document under one heading, to the next one of its kind. */
export function section(text: string, heading: string): string {
  const start = text.indexOf(`\n${heading}\n`)
  if (start === -1) throw new Error(`no heading ${heading}`)
  const level = /^#+/.exec(heading)![0]
  const body = text.slice(start + heading.length + 2)
  const end = body.search(new RegExp(`^${level} `, 'm'))
  return end === -1 ? body : body.slice(0, end)
}

const withoutCode = (text: string): string => text.replace(/^\s*```[\s\S]*?^\s*```/gm, '')

/** The anchors that GitHub gives headings. */
export function anchorsOf(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  )
}

export function linksOf(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!)
}

/** Commands of a shell block, one a line: continued lines joined, comments removed. */
export function commandsOf(code: string): readonly string[] {
  return code
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#\s.*$/, '').trim())
    .filter((line) => line !== '')
}
