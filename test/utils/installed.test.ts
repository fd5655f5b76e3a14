// Whether an optional package is there: from this package, from a bundle of it, and where nobody can tell.
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
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
  for (const file of [join(tmpdir(), 'app.js'), resolve(import.meta.dirname, '../../../app.js')])
    expect(missingPackages(NAMES, pathToFileURL(file).href)).toEqual([])
  expect(missingPackages(NAMES, 'webpack://app/app.js')).toEqual([])
})
