// What a test opens or sets is closed or taken back when it ends, the last first.
import { onTestFinished, vi } from 'vitest'
import { llamaGuard, type LlamaGuard } from '../../src/llama-guard.js'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import { startEmulator, type Emulator, type EmulatorOptions } from '../emulator/index.js'
import { onNode, saying, type Handler } from './apps.js'
import { markerGuard, memoryLogger } from './guards.js'
import { serve, type Running } from './http.js'

export function closing<Opened extends { close?(): unknown }>(opened: Opened): Opened {
  onTestFinished(async () => void (await opened.close?.()))
  return opened
}

export function setEnv(env: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  onTestFinished(() => void vi.unstubAllEnvs())
}

/** An emulated endpoint that the environment of the AWS SDK points at. */
export async function endpoint(options: EmulatorOptions = {}, env: Record<string, string> = {}): Promise<Emulator> {
  const emulator = closing(await startEmulator(options))
  setEnv({ ...emulator.env, ...env })
  return emulator
}

/** A guarded handler on bare node:http, closed when the test ends. */
export async function guardedServer(
  options: LlamaGuardOptions = {},
  handler: Handler = saying(),
  env: Record<string, string> = {},
): Promise<Running & { readonly guard: LlamaGuard }> {
  const guard = closing(llamaGuard({ guard: markerGuard(), logger: memoryLogger(), ...options }, env))
  return { ...closing(await serve(onNode([guard], handler))), guard }
}
