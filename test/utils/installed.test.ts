// Whether an optional package is there: from this package, from a bundle of it, and where nobody can tell.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { missingPackages } from '../../src/utils/installed.js'

const NAMES = ['express', 'no-such-package', '@no-such/package']

it('a package that cannot be found is missing, and one that is there is not', () => {
  expect(missingPackages(NAMES)).toEqual(['no-such-package', '@no-such/package'])
})

it('a package without an entry for require() is there', () => {
  expect(missingPackages(['node-llama-cpp'])).toEqual([])
})

it('nothing is missing in a bundle, which may hold its packages in itself', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bundle-')))
  expect(missingPackages(NAMES, join(folder, 'app.js'))).toEqual([])
  expect(missingPackages(NAMES, resolve(import.meta.dirname, '../../../app.js'))).toEqual([])
  rmSync(folder, { recursive: true })
})

it('the hook for stack traces is left as it was, and is not needed', () => {
  const { prepareStackTrace, stackTraceLimit } = Error
  missingPackages(NAMES)
  expect(Error.prepareStackTrace).toBe(prepareStackTrace)
  Error.stackTraceLimit = 0
  expect(missingPackages(NAMES)).toEqual([])
  Error.stackTraceLimit = stackTraceLimit
})
