// Why a GGUF model could not be loaded, and what to do about it. Apart from the model, because the causes are the operator's.
import { LlamaGuardError } from '../errors.js'

/** `explanation` is what llama.cpp logged first. It speaks of files and memory: no chat has been seen yet. */
export function loadError(error: unknown, explanation?: string): LlamaGuardError {
  return new LlamaGuardError('guard_rejected', messageFor(error, explanation), { cause: error })
}

function messageFor(error: unknown, explanation: string | undefined): string {
  const { name, code, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { name: '', code: undefined, message: String(error) }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return 'The llama-cpp guard needs one more package. Run: npm install node-llama-cpp'
  // Their classes keep the name "Error", so it is the constructor that tells.
  const kind = error instanceof Error ? error.constructor.name : name
  if (kind === 'NoBinaryFoundError') return 'node-llama-cpp has no binary for this machine. Reinstall it with optional dependencies, or build one: npx node-llama-cpp source download'
  if (kind === 'InsufficientMemoryError') return 'There is not enough memory for the guard model. Use a more quantised file, or lower `concurrency` to 1.'
  return `llama.cpp could not load the guard model: ${explanation ?? message}. Check that the file is a whole GGUF of a Llama Guard model, and that node-llama-cpp is up to date.`
}
