// What the commands write, caught; and the environment the real AWS SDK reads, set for one test.
import { vi } from 'vitest'
import type { Io, Output } from '../../src/cli/io.js'

export interface Caught extends Io {
  readonly out: () => string
  readonly err: () => string
}

export function catchIo(env: Record<string, string> = {}, tty = false): Caught {
  const texts: Record<'out' | 'err', string> = { out: '', err: '' }
  const output = (name: 'out' | 'err'): Output => ({ isTTY: tty, write: (text) => void (texts[name] += text) })
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  return { stdout: output('out'), stderr: output('err'), env, out: () => texts.out, err: () => texts.err }
}
