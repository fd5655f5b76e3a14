// The packages that are installed beside this one: which optional ones are missing, so that a setting that needs one
// fails at the start and not at a request, and a `require` that finds them.
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LlamaGuardError } from '../types/errors.js'

const OUR_MANIFEST = 'express-llama-guard/package.json'
/** Undefined in CommonJS that a bundler of the app's has made. */
const THIS_FILE = import.meta.url as string | undefined

/**
 * Those of `names` that cannot be found from this package. Empty where nobody can tell: a bundle holds its packages
 * in itself.
 */
export function missingPackages(names: readonly string[], from = THIS_FILE): readonly string[] {
  const require = ownRequire(from)
  return require === undefined ? [] : names.filter((name) => isMissing(name, require.resolve))
}

/** @throws LlamaGuardError `dependency_missing` when a guard's package is known to be missing. */
export function requirePackage(guard: string, name: string): void {
  if (missingPackages([name]).length > 0)
    throw new LlamaGuardError(
      'dependency_missing',
      `The guard ${guard} needs one more package. Run: npm install ${name}`,
    )
}

/** `require` of this package. Undefined in a bundle, which holds its packages in itself. `from`: the URL of a file. */
export function ownRequire(from = THIS_FILE): NodeJS.Require | undefined {
  if (from?.startsWith('file:') !== true) return undefined
  const require = createRequire(from)
  return isOurs(fileURLToPath(from), require.resolve) ? require : undefined
}

/** False for a copy of this file in a bundle. */
function isOurs(file: string, resolve: NodeJS.RequireResolve): boolean {
  try {
    return file.startsWith(dirname(resolve(OUR_MANIFEST)) + sep)
  } catch {
    return false
  }
}

function isMissing(name: string, resolve: NodeJS.RequireResolve): boolean {
  try {
    resolve(name)
    return false
  } catch (error) {
    // A package that has no entry for require() fails with another code. It is there.
    return (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND'
  }
}
