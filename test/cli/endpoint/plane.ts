// A control plane for one test, alone or with the data plane; and the guard that most tests deploy there.
import type { DeployOptions } from '../../../src/cli/endpoint/plan.js'
import { startControlPlane } from '../../emulator/control-plane.js'
import type { ControlPlane, ControlPlaneOptions } from '../../emulator/control-plane.js'
import type { Emulator, EmulatorOptions } from '../../emulator/index.js'
import { closing, endpoint } from '../../helpers/closing.js'

export async function plane(options?: ControlPlaneOptions): Promise<ControlPlane> {
  return closing(await startControlPlane(options))
}

export async function planes(
  options?: EmulatorOptions,
): Promise<{ cloud: ControlPlane; guard: Emulator; env: Record<string, string> }> {
  const cloud = await plane({ describesUntilReady: 0 })
  const guard = await endpoint(options)
  return { cloud, guard, env: { ...cloud.env, ...guard.env, LLAMA_GUARD_ENDPOINT: 'llama-guard' } }
}

export const GUARD: DeployOptions & { pollMs: number } = {
  model: 'llama-guard-3-8b',
  acceptEula: true,
  role: 'arn:aws:iam::123456789012:role/SageMakerRole',
  pollMs: 5,
}
export const operations = (cloud: ControlPlane): string[] => cloud.calls.map(({ operation }) => operation)
