// The package in a temporary folder, as it is installed: package.json, what build.ts compiled, and node_modules.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { inject } from 'vitest'

export const ROOT = resolve(import.meta.dirname, '../..')

export interface Installed {
  readonly folder: string
  remove(): void
}

/** `also` are further paths of the checkout. `without` are packages that this machine does not have. */
export function install({ also = [], without }: { also?: string[]; without?: ReadonlySet<string> } = {}): Installed {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'express-llama-guard-')))
  for (const name of ['package.json', ...also]) cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  cpSync(inject('build'), join(folder, 'dist/esm'), { recursive: true })
  const [from, to] = [join(ROOT, 'node_modules'), join(folder, 'node_modules')]
  if (without === undefined) symlinkSync(from, to)
  else {
    mkdirSync(to)
    for (const name of readdirSync(from)) if (!without.has(name)) symlinkSync(join(from, name), join(to, name))
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
