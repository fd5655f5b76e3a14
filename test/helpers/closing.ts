// What a test opens or sets is closed or taken back when it ends, the last first.
import { onTestFinished, vi } from 'vitest'
import { startEmulator, type Emulator, type EmulatorOptions } from '../emulator/index.js'

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
