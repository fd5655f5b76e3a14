// What the commands write, caught; and the environment the real AWS SDK reads, set for one test.
import type { Io, Output } from '../../src/cli/io.js'
import { setEnv } from '../helpers/closing.js'

export interface Caught extends Io {
  readonly out: () => string
  readonly err: () => string
}

export function catchIo(env: Record<string, string> = {}, tty = false): Caught {
  const texts: Record<'out' | 'err', string> = { out: '', err: '' }
  const output = (name: 'out' | 'err'): Output => ({ isTTY: tty, write: (text) => void (texts[name] += text) })
  setEnv(env)
  return { stdout: output('out'), stderr: output('err'), env, out: () => texts.out, err: () => texts.err }
}
