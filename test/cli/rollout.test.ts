// The recipe from shadow to enforce: what it says of two policies on one endpoint holds, and its commands exist.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { run } from '../../src/cli/index.js'
import { catchIo } from './helpers.js'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of closers.splice(0).reverse()) await close()
})

test('Every command and flag of the recipe exists', async () => {
  const recipe = readFileSync(resolve(import.meta.dirname, '../../examples/rollout/README.md'), 'utf8')
  const commands = [...recipe.matchAll(/express-llama-guard (\w+)([^`]*)`/g)]
  expect(commands.length).toBeGreaterThan(3)
  for (const [, command = '', rest = ''] of commands) {
    const io = catchIo()
    expect(await run([command, '--help'], io)).toBe(0)
    for (const flag of rest.match(/--[a-z-]+/g) ?? []) expect(io.out(), command).toContain(flag)
  }
})
