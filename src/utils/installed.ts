// The packages that are installed beside this one: which optional ones are missing, so that a setting that needs one
// fails at the start and not at a request, and a `require` that finds them.
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const OUR_MANIFEST = 'express-llama-guard/package.json'

/**
 * Those of `names` that cannot be found from this package. Empty where nobody can tell: a bundle holds its packages
 * in itself.
 */
export function missingPackages(names: readonly string[], from: string | undefined = thisFile()): readonly string[] {
  const require = ownRequire(from)
  return require === undefined ? [] : names.filter((name) => isMissing(name, require.resolve))
}

/** `require` of this package. Undefined in a bundle, which holds its packages in itself. */
export function ownRequire(from: string | undefined = thisFile()): NodeJS.Require | undefined {
  if (from === undefined) return undefined
  const require = createRequire(from)
  return isOurs(from, require.resolve) ? require : undefined
}

/** False for a copy of this file in a bundle. */
function isOurs(from: string, resolve: NodeJS.RequireResolve): boolean {
  try {
    return from.startsWith(dirname(resolve(OUR_MANIFEST)) + sep)
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

/** ES modules and CommonJS are built from the same source, so neither `import.meta` nor `__filename` can be used. */
function thisFile(): string | undefined {
  try {
    const before = Error.prepareStackTrace
    Error.prepareStackTrace = (_, [site]) => site?.getFileName()
    const name: unknown = new Error().stack
    Error.prepareStackTrace = before
    if (typeof name !== 'string') return undefined
    return name.startsWith('file:') ? fileURLToPath(name) : name
  } catch {
    // Where nobody may change Error, nobody can tell.
    return undefined
  }
}
