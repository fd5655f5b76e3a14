// Which test files belong to a source file: those of the same name and folder first, then the suites on the wire.
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'

/** Suites that ask a whole server, and tables of every place of every dialect. */
const WIRE: Readonly<Record<string, readonly string[]>> = {
  request: ['test/bypass.test', 'test/request/', 'no-way-out', 'every-string'],
  dialects: ['test/dialects/', 'test/bypass-output'],
  response: ['test/response/', 'test/bypass-output', 'test/disconnect', 'reply-positions', 'test/middleware'],
  guard: ['test/guard/', 'test/fail-closed', 'test/middleware.test'],
}
const EVERYWHERE = ['test/middleware', 'test/fail-closed', 'test/bypass', 'test/disconnect', 'test/exchange']

/** Filters of vitest, in stages: a change that the first stage notices needs no second one. */
export function testsOf(file: string): readonly (readonly string[])[] {
  const path = file.replace(/^src\//, '').replace(/\.ts$/, '')
  const own = `test/${path}.test.ts`
  const folder = `test/${dirname(path)}/`
  const near = existsSync(own) ? [own] : existsSync(folder) && dirname(path) !== '.' ? [folder] : []
  const far = WIRE[path.split('/')[0]!] ?? EVERYWHERE
  return [near, far].filter((stage) => stage.length > 0)
}
