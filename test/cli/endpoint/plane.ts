// A control plane for one test, and the guard that most tests deploy there.
import { afterEach, vi } from 'vitest'
import type { DeployOptions } from '../../../src/cli/endpoint/plan.js'
import { startControlPlane } from '../../emulator/control-plane.js'
import type { ControlPlane, ControlPlaneOptions } from '../../emulator/control-plane.js'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of closers.splice(0)) await close()
})

export async function plane(options?: ControlPlaneOptions): Promise<ControlPlane> {
  const started = await startControlPlane(options)
  closers.push(() => started.close())
  return started
}

export const GUARD: DeployOptions & { pollMs: number } = {
  model: 'llama-guard-3-8b',
  acceptEula: true,
  role: 'arn:aws:iam::123456789012:role/SageMakerRole',
  pollMs: 5,
}
export const operations = (cloud: ControlPlane): string[] => cloud.calls.map(({ operation }) => operation)
