// A guard the way production has it: llamaGuard() with the real AWS SDK, pointed at the emulated endpoint by
// environment alone.
import { vi } from 'vitest'
import { llamaGuard, type LlamaGuard, type LlamaGuardOptions } from '../../src/index.js'
import { startEmulator, type Emulator, type EmulatorOptions } from '../emulator/index.js'
import { memoryLogger } from './guards.js'
import { withProtection } from '../../src/options/protection.js'

export interface Emulated {
  readonly emulator: Emulator
  /**
   * A middleware that asks the emulator. Nothing remembered, no breaker, one attempt, a quiet log: a test
   * sees every call.
   */
  guard(options?: LlamaGuardOptions): LlamaGuard
  /** The text of every turn that the guard model has seen since the last reset, joined. */
  seen(): string
  close(): Promise<void>
}

export async function emulated(options: EmulatorOptions = {}): Promise<Emulated> {
  const emulator = await startEmulator(options)
  for (const [name, value] of Object.entries({ ...emulator.env, LLAMA_GUARD_ENDPOINT: emulator.endpoint }))
    vi.stubEnv(name, value)
  const made: LlamaGuard[] = []
  return {
    emulator,
    guard(given = {}) {
      const guard = llamaGuard({
        cacheMax: 0,
        ...withProtection({ breaker: false }),
        ...withProtection({ maxAttempts: 1 }),
        timeoutMs: 60_000,
        logger: memoryLogger(),
        ...given,
      })
      made.push(guard)
      return guard
    },
    seen: () =>
      emulator
        .conversations()
        .flatMap(({ turns }) => turns.map(({ text }) => text))
        .join('\n'),
    async close() {
      await Promise.all(made.map((guard) => guard.close()))
      await emulator.close()
      vi.unstubAllEnvs()
    },
  }
}
