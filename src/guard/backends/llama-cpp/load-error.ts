// Why llama.cpp did not load a guard model, and what to do about it.
import { LlamaGuardError } from '../../../errors.js'

export const PACKAGE = 'node-llama-cpp'
export const PACKAGE_MISSING = `The llama-cpp guard needs one more package. Run: npm install ${PACKAGE}`

export function loadError(error: unknown): LlamaGuardError {
  return new LlamaGuardError('guard_rejected', messageFor(error), { cause: error })
}

function messageFor(error: unknown): string {
  const { code, message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { code: undefined, message: String(error) }
  if (code === 'ERR_MODULE_NOT_FOUND') return PACKAGE_MISSING
  // Its classes keep the name "Error", and to ask by `instanceof` the package would have to be loaded.
  const kind = error instanceof Error ? error.constructor.name : undefined
  if (kind === 'NoBinaryFoundError')
    return (
      'node-llama-cpp has no binary for this machine. Reinstall it with optional dependencies, or build ' +
      'one: npx node-llama-cpp source download'
    )
  if (kind === 'InsufficientMemoryError')
    return 'There is not enough memory for the guard model. Use a more quantised file, or set `concurrency` to 1.'
  return (
    `llama.cpp could not load the guard model: ${message}. Its reason is on stderr. Check that the ` +
    'file is whole, and that node-llama-cpp is new enough for it.'
  )
}
