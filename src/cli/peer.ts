// Packages that one command needs and no app does. They are optional peers: a missing one is told with its cure.
import { LlamaGuardError } from '../errors.js'

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^(?:ERR_MODULE_NOT_FOUND|MODULE_NOT_FOUND)$/.test(String(error.code))

/**
 * The loaded module of a package that is no dependency.
 *
 * @throws LlamaGuardError `dependency_missing` with the commands that install it.
 */
export async function peer<T>(name: string, what: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    if (!isMissing(cause)) throw cause
    throw new LlamaGuardError('dependency_missing', `${what} needs ${name}, which is not installed. ${cureFor(name)}`, {
      cause,
    })
  }
}

export const cureFor = (name: string): string =>
  `Install it: npm install ${name}\n  Or without installing: npx --package express-llama-guard --package ${name} ` +
  'express-llama-guard ...'
